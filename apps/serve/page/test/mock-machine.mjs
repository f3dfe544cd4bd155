// A machine for the mock, in the words of `tidemill machine --json` and `tidemill bench --json`.
export const machine = (measured) => ({
  schema_version: 1, version: "0.2.0",
  machine: {
    system: "Linux", arch: "x86_64", model: "A processor with two cores", processors: 2, allowed_processors: 2, usable_cores: 2, memory_bytes: 16 * 2 ** 30, memory_limit_bytes: null,
    l1d_bytes: 49152, l2_bytes: 1310720, l3_bytes: 50331648, instruction_sets: ["avx2", "avx512"],
  },
  products: [{ name: "oneDNN", used: true, version: "2.6.3", path: null, why: null }, { name: "own kernels", used: true, version: null, path: null, why: null }],
  devices: ["cpu", "cuda"],
  device_info: [
    { name: "cpu", there: true, hardware: "A processor with two cores", memory_bytes: 16 * 2 ** 30, own_memory: false, why: null },
    { name: "cuda", there: false, hardware: "", memory_bytes: null, own_memory: false, why: "there is no device cuda:0; NVIDIA's driver is not here" },
  ],
  device: "cpu",
  rates: { measured, threads: 2, gemm_gflops: { f32: measured ? 171.3 : 140, bf16: null, f16: null }, bandwidth_gbs: measured ? 18.2 : 16, launch_us: 5, took_s: measured ? 1.9 : null, measured_at: measured ? "2026-01-01 10:00" : null },
  advice: {
    "batch-size": { value: 64, most: 1024, why: "the smallest at which start-up and update take under 5 % of a step; more saves no time" },
    threads: { value: 2, most: 2, why: "the physical cores" },
    memory: { value: 11 * 2 ** 30, most: 11 * 2 ** 30, why: "70 % of the memory this process may use" },
    precision: { value: "f32", why: "the processor multiplies nothing shorter natively" },
  },
});

export const benchResult = () => ({
  schema_version: 1, command: "bench", device: "cpu", hardware: "A processor with two cores",
  cases: [["etth1", 61], ["m1", 94], ["eis512", 122]].map(([name, gflops]) => ({
    case: name, precision: "f32", step_ms: 21.4, infer_p50_ms: 0.28, roof_gflops: 171, gflops, roof_share: gflops / 171, optimization_recommendations: ["1 thread on 2 cores: `threads` 2 uses them all"],
  })),
});
