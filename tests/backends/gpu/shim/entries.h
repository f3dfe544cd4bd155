/* Before the entries of a text that is to run on fibers, after its preamble: a group's memory is found again, and a
 * barrier says where it is. */
#undef LOCAL_ARRAY
#ifdef GPU_STRICT
#define LOCAL_ARRAY(T, name, n) static threadgroup T name[n]
#else
#define LOCAL_ARRAY(T, name, n) GPU_LOCAL T name[n]
#endif
#undef LOCAL_ROOM
#define LOCAL_ROOM LOCAL_ARRAY
#undef SYNC
#define SYNC gpu_sync(__LINE__)
