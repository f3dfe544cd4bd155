// A map of attention that can be read: of many tokens those that are looked at most.
import type { AttentionMap } from "../api";

export const MOST_SHOWN = 24;

/** Rows and columns of the tokens that get the most, in their order; `left`: how many are left out. */
export function mostLookedAt({ tokens, weights }: AttentionMap, most = MOST_SHOWN): { names: string[]; weights: number[][]; left: number } {
  const got = tokens.map((_, j) => weights.reduce((sum, row) => sum + row[j]!, 0));
  const kept = tokens.map((_, j) => j).sort((a, b) => got[b]! - got[a]!).slice(0, most).sort((a, b) => a - b);
  return { names: kept.map((j) => tokens[j]!), weights: kept.map((i) => kept.map((j) => weights[i]![j]!)), left: tokens.length - kept.length };
}
