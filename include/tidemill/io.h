/* Files: npy, npz, safetensors, PyTorch checkpoints, csv.
 *
 * Every reader is bounded by the file's size, accepts nothing malformed, and says what, where and what would be
 * accepted in `failure` (may be NULL). TIDE_EDATA: there is no such file, it may not be read, or its
 * content is malformed; TIDE_EIO: the system failed; TIDE_EINVAL: a path, a result or an array is NULL or not sound.
 * Results are zeroed on failure.
 *
 * Functions of this header may be called by many threads at once, each with arrays of its own (those that take
 * variables: by the thread that has their graph).
 *
 * Every writer writes beside the target under a temporary name, syncs and renames: a reader sees the old file or the
 * new one, never a part. */
#ifndef TIDEMILL_IO_H
#define TIDEMILL_IO_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A named array in memory, row-major, little-endian. */
typedef struct tide_tensor {
    char       *name;
    tide_dtype  type;
    tide_shape  shape;
    void       *data;   /* tide_shape_count(shape) * tide_dtype_size(type) bytes */
} tide_tensor;

/* Arrays and string metadata of one file. Zero it before first use. The archive owns all it points to. */
typedef struct tide_archive {
    tide_tensor *tensors;
    int64_t      count;
    char       **keys, **values;   /* metadata (safetensors' __metadata__) */
    int64_t      metadata_count;
} tide_archive;

TIDE_API void               tide_archive_free(tide_archive *a);  /* NULL is fine; leaves it zeroed */
TIDE_API const tide_tensor *tide_archive_find(const tide_archive *a, const char *name);      /* NULL if absent */
TIDE_API const char        *tide_archive_metadata(const tide_archive *a, const char *key);   /* NULL if absent */
/* Adds a copy. TIDE_EINVAL if the name is taken or missing, the shape has a negative size or too many elements, or data
 * are missing. */
TIDE_API tide_status tide_archive_add(tide_archive *a, const char *name, tide_dtype type, tide_shape shape,
                                      const void *data);
/* Sets a metadata entry, replacing an earlier one of that key. */
TIDE_API tide_status tide_archive_set(tide_archive *a, const char *key, const char *value);

/* numpy's formats. Read: versions 1 to 3, C or Fortran order (turned to row-major), little or big endian, types
 * f2 f4 f8 i4 i8 u1 b1 (i1 i2 u2 become i32; u4 u8 become i64, refused where a number does not fit); members stored or
 * deflated, all of them arrays. Written: version 1, C order, the same bytes for the same arrays; numpy has no bf16
 * (TIDE_ETYPE). The name of an array read from .npy is ""; free(out->name), free(out->data). */
TIDE_API tide_status tide_npy_read(const char *path, tide_tensor *out, tide_failure *failure);
TIDE_API tide_status tide_npy_write(const char *path, const tide_tensor *tensor, tide_failure *failure);
TIDE_API tide_status tide_npz_read(const char *path, tide_archive *out, tide_failure *failure);
/* Only the arrays named in `wanted` (ends with NULL) as far as the file has them; the others may be of any type. */
TIDE_API tide_status tide_npz_read_some(const char *path, const char *const *wanted, tide_archive *out,
                                        tide_failure *failure);
TIDE_API tide_status tide_npz_write(const char *path, const tide_archive *a, bool deflate, tide_failure *failure);

/* The same from bytes in memory, which are borrowed for the call. */
TIDE_API tide_status tide_npy_read_memory(const void *bytes, size_t size, tide_tensor *out, tide_failure *failure);
TIDE_API tide_status tide_npz_read_memory(const void *bytes, size_t size, tide_archive *out, tide_failure *failure);

/* huggingface/safetensors: 8-byte header length, JSON header, raw data, which the arrays must cover without hole or
 * overlap. Other integer widths are widened as for numpy; 8-bit floats are refused. Read in the order of the data,
 * which is written with wide elements first, else in the archive's order. */
TIDE_API tide_status tide_safetensors_read(const char *path, tide_archive *out, tide_failure *failure);
TIDE_API tide_status tide_safetensors_write(const char *path, const tide_archive *a, tide_failure *failure);
/* The same from bytes in memory, borrowed for the call, and to a block of them: tide_free(*bytes). The bytes are those
 * of the file. */
TIDE_API tide_status tide_safetensors_read_memory(const void *bytes, size_t size, tide_archive *out,
                                                  tide_failure *failure);
TIDE_API tide_status tide_safetensors_write_memory(const tide_archive *a, void **bytes, size_t *size,
                                                   tide_failure *failure);

/* A checkpoint as PyTorch (1.6 and later) writes it with torch.save(model.state_dict(), path): a dictionary of tensors
 * by name, in its order, strides undone. Nothing in the file is executed; anything else than such a dictionary is
 * refused with what it asks for. Names are kept as they are ("module." in front of those of a model on several
 * devices). */
TIDE_API tide_status tide_pth_read(const char *path, tide_archive *out, tide_failure *failure);
/* Such a checkpoint, which torch.load takes, weights_only as well; the same bytes for the same tensors. Names have at
 * most 1000 bytes. Metadata is not written: the format has none. */
TIDE_API tide_status tide_pth_write(const char *path, const tide_archive *a, tide_failure *failure);

/* The variables of `variables` by name, as safetensors. Loading requires every variable to be in the file with its type
 * and shape (leading and trailing axes of 1 may differ) and names the first that is not, changing none; extra tensors
 * are ignored. */
TIDE_API tide_status tide_save(tide_list variables, const char *path, tide_failure *failure);
TIDE_API tide_status tide_load(tide_list variables, const char *path, tide_failure *failure);
/* To a block of memory, tide_free(*bytes); from one, borrowed; and from an archive, however it was read (.pth,
 * .npz). */
TIDE_API tide_status tide_save_memory(tide_list variables, void **bytes, size_t *size, tide_failure *failure);
TIDE_API tide_status tide_load_memory(tide_list variables, const void *bytes, size_t size, tide_failure *failure);
TIDE_API tide_status tide_load_archive(tide_list variables, const tide_archive *a, tide_failure *failure);

/* A text table as read: every cell a string, without the blanks around it. gzip is unpacked. Quotes, CRLF, a byte-order
 * mark are understood; blank lines are skipped. Bytes that are not UTF-8 are read as Latin-1 (repaired = true); UTF-16
 * is refused. A ragged row fails, naming its line. A file without any line fails; a header alone is a table of no
 * rows. */
typedef struct tide_table {
    int64_t rows, columns;
    char  **header;      /* columns names, surrounding blanks removed */
    char  **cells;       /* rows * columns, row-major */
    int64_t *line;       /* file line (1-based) of each row */
    bool    repaired;
    char   *memory;      /* what the strings point into */
    int64_t header_line; /* file line of the names; of the first row where there are none */
    int64_t *place;      /* (columns) where each stands in the file; NULL: all columns are here */
} tide_table;
typedef struct tide_csv_options {
    char separator;      /* 0: comma, or guessed from the header among , ; tab | */
    bool headerless;     /* names become "0", "1", ... */
    int64_t skip;        /* lines before the header that are not read */
    /* NULL, or asked once with the names and the first row's cells: which of the `count` columns to keep (all, unless
     * it clears some of keep[]). Others cost no more than their text. Not asked of a file without names or rows. */
    void  (*choose)(void *user, int64_t count, char *const *names, char *const *first, bool *keep);
    void   *user;
} tide_csv_options;
/* path "-" reads standard input. options may be NULL. */
TIDE_API tide_status tide_csv_read(const char *path, const tide_csv_options *options, tide_table *out,
                                   tide_failure *failure);
/* The same of bytes as tide_file_read gives them, a zero byte behind them: the table's from now on, freed with it, or
 * here on failure. `path` is for messages. */
TIDE_API tide_status tide_csv_take(void *bytes, size_t size, const char *path, const tide_csv_options *options,
                                   tide_table *out, tide_failure *failure);
TIDE_API void        tide_table_free(tide_table *t);

/* A whole file, at most 2 GiB of it: standard input for "-", gzip unpacked. A zero byte follows what *size counts. What
 * holds tables but is no text (an Excel workbook, a PDF, Parquet, ...) is refused by what it is. tide_free(*bytes). */
TIDE_API tide_status tide_file_read(const char *path, void **bytes, size_t *size, tide_failure *failure);

/* Calls `write` with a temporary file (a FILE * open for writing) beside `path`, then syncs and renames it; on failure
 * nothing is left behind. `write` returns TIDE_EIO when a write fails; the reason is found out here. A link is kept,
 * the file it leads to replaced. A pipe or device (/dev/stdout) is written directly. */
TIDE_API tide_status tide_file_replace(const char *path, tide_status (*write)(void *user, void *stdio_file), void *user,
                                       tide_failure *failure);

/* SHA-256 of a file, 64 hex digits and a 0. */
TIDE_API tide_status tide_file_sha256(const char *path, char hex[65], tide_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
