// A made-up harbour to try: hourly sea level of two tides and their beat, wind that the level follows, temperature with day and year. The same on every call.

const HOURS = 24 * 120;

/** Uniform in [0, 1), of the hour: mulberry32. */
function drawOf(seed: number): number {
  let t = (seed + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

const clock = (hour: number) => new Date(Date.UTC(2024, 0, 1) + hour * 3_600_000).toISOString().slice(0, 19).replace("T", " ");

export function sampleSeries(hours = HOURS): string {
  const lines = ["time,level_cm,wind_ms,air_c"];
  let wind = 0;
  for (let h = 0; h < hours; h++) {
    wind = 0.96 * wind + 1.1 * (drawOf(h) + drawOf(h + 900_001) - 1);
    const angle = (period: number, at = 0) => 2 * Math.PI * ((h - at) / period);
    // M2 and S2, hours: their beat is spring and neap.
    const level = 320 + 180 * Math.cos(angle(12.4206, 3)) + 62 * Math.cos(angle(12, 1)) + 24 * Math.cos(angle(23.9345, 6)) + 9 * wind + 3 * (drawOf(h + 77) - 0.5);
    const air = 8 + 6 * Math.sin(angle(8766, 2000)) + 4 * Math.sin(angle(24, 9)) + 0.4 * wind;
    lines.push(`${clock(h)},${level.toFixed(1)},${(6 + wind).toFixed(2)},${air.toFixed(2)}`);
  }
  return lines.join("\n") + "\n";
}
