// The interface of `tidemill serve` as the page uses it. Written by hand from the service's tables until openapi-typescript makes it from
// openapi.json: only names and types stand here, so that one file can take this one's place.

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  code?: string;
  errors?: { pointer?: string; message: string; row?: number; column?: string }[];
}

/* ---- impedance ---- */

export const PARAMETERS = ["Rsh", "Ra", "Rb", "Ca", "Cb"] as const;
export type Parameter = (typeof PARAMETERS)[number];
/** The columns of a row of draws. */
export const DRAWN = [...PARAMETERS, "Rs"] as const;

export interface Spectrum {
  freq_hz: number[];
  z_re_ohm: number[];
  z_im_ohm: number[];
  sigma_re_ohm?: number[];
  sigma_im_ohm?: number[];
  name?: string;
  area_cm2?: number | null;
}

export interface SpectraRead {
  sweeps: Spectrum[];
  notes: string[];
}

export interface CompleteRequest {
  spectrum?: Spectrum;
  spectra?: Spectrum[];
  known?: Partial<Record<Parameter, string | number>>;
  options?: Record<string, string | number | boolean>;
  draws?: boolean;
  curve?: boolean;
}

export type Interval = [number, number] | null;

export interface Candidate {
  rank: number;
  joint_probability: number;
  resnorm: number;
  Rs?: number;
  [parameter: string]: unknown;
}

export interface Completion {
  spectrum?: string;
  circuit: "shunt" | "chain";
  method: "refined" | "exact" | "network";
  known_params: Partial<Record<Parameter, number>>;
  missing_params: Parameter[];
  notes: string[];
  warnings?: string[];
  ter_ohm: number | null;
  tec_farad: number | null;
  marginal_distributions: Partial<Record<Parameter, number[]>>;
  top_k_predictions: Candidate[];
  intervals_95: Record<string, Interval>;
  medians: Partial<Record<Parameter, number>>;
  identifiable: Partial<Record<Parameter, boolean>>;
  bound_hits: Record<string, "low" | "high" | null>;
  fibre: (Record<Parameter, [number, number]> & { g: [number, number] }) | null;
  noise: number | null;
  noise_source: string | null;
  rs_ohm: number | null;
  reduced_chi2: number | null;
  circuit_adequate: boolean | null;
  grid_adequate: boolean | null;
  curve?: { freq_hz: number[]; z_re_ohm: number[]; z_im_ohm: number[] };
  /** By column: those of DRAWN, and weight. */
  draws?: Record<string, number[]>;
}

export interface Checked {
  spectrum: string;
  verdict: "sound" | "flawed" | "unfit" | string;
  faults: { fault: string; unfit: boolean; points: number[]; size: number | null; message: string }[];
  noise: { source: string; value: number | null };
  points: { frequency_hz: number; residual_re: number | null; residual_im: number | null; left_out: boolean }[];
}

/* ---- forecast ---- */

export interface Numbers {
  time?: string[];
  columns: Record<string, (number | null)[]>;
}

/** A series as its file was understood. */
export interface SeriesRead extends Numbers {
  rows: number;
  names: string[];
  /** By column: how many values are missing. */
  gaps: Record<string, number>;
  /** What the file was taken for, in the words of the options that say otherwise. */
  found?: Record<string, string>;
  notes?: string[];
}

export interface Model {
  id: string;
  kind: "forecast" | "eis";
  seq_len: number;
  pred_len: number;
  /** What it reads, and what of that it forecasts. The last `known_ahead` of the columns are known of the rows to come; the last `holidays` of these
   *  follow from the times, and are not sent. */
  columns: string[];
  targets: string[];
  known_ahead: number;
  holidays: number;
  takes_gaps: boolean;
  has_levels: boolean;
}

export interface PredictRequest {
  model: string;
  past: Numbers;
  /** Columns known ahead, of the rows to come. */
  future?: Numbers;
  level: number[];
}

/** Whom a layer looks at: a row of weights for each token. */
export interface AttentionMap {
  model: string;
  layer: number;
  tokens: string[];
  weights: number[][];
}

export interface Predicted {
  time?: string[];
  columns: Record<string, number[]>;
  bands?: Record<string, Record<string, { low: number[]; high: number[] }>>;
  baselines?: Record<string, Record<string, number[]>>;
}

export interface Upload {
  id: string;
  name: string;
  bytes: number;
  sha256: string;
}

/* ---- jobs ---- */

export type JobState = "queued" | "running" | "stopped" | "done" | "failed" | "cancelled";

export interface Progress {
  stage?: string;
  epoch?: number;
  epochs?: number;
  batch?: number;
  batches?: number;
  step?: number;
  loss?: number | null;
  val_loss?: number | null;
  seconds?: number;
  seconds_left?: number | null;
}

export interface Job {
  id: string;
  /** What people call it. */
  name?: string;
  /** By option: what the uploads were called. */
  files?: Record<string, string[]>;
  command: string;
  options: Record<string, unknown>;
  state: JobState;
  progress: Progress | null;
  message?: string | null;
  /** Seconds since 1970. */
  created: number;
  started?: number | null;
  ended?: number | null;
  exit?: number | null;
  cli: string;
}

export interface JobRequest {
  command: string;
  options: Record<string, string | number | boolean>;
  upload?: string;
  model?: string;
  name?: string;
}

/** metrics.csv by column. */
export type Metrics = Record<string, (number | null)[]>;

/* ---- machine ---- */

export interface Machine {
  version: string;
  machine: Record<string, unknown> & {
    system: string;
    arch: string;
    model: string;
    processors: number;
    usable_cores: number;
    memory_bytes: number;
    memory_limit_bytes: number | null;
    l1d_bytes: number;
    l2_bytes: number;
    l3_bytes: number;
    instruction_sets: string[];
  };
  products: { name: string; used: boolean; version: string | null; why: string | null }[];
  device_info: { name: string; there: boolean; hardware: string; memory_bytes: number | null; why: string | null }[];
  device: string;
  rates: {
    measured: boolean;
    threads: number;
    gemm_gflops: Record<string, number | null>;
    bandwidth_gbs: number;
    launch_us: number;
    took_s: number | null;
    measured_at: string | null;
  };
  advice: Record<string, { value: string | number; most?: number; why: string }>;
}

export interface BenchCase {
  case: string;
  precision: string;
  step_ms: number | null;
  infer_p50_ms: number | null;
  roof_gflops: number | null;
  gflops: number | null;
  roof_share: number | null;
  optimization_recommendations: string[];
}

export interface BenchResult {
  device: string;
  hardware: string | null;
  cases: BenchCase[];
}
