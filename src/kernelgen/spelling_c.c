/* C over vectors of floats (vf) and 32-bit integers (vi) of as many lanes. A BOOL is an integer that is 0 or -1. */
#include "spelling.h"

#define INTEGERS(words) [TIDE_I32] = words
#define FLOATS(words) [TIDE_F32] = words
#define BOTH(words) FLOATS(words), INTEGERS(words)
#define COMPARE(words) { BOTH(words), [TIDE_BOOL] = words, [TIDE_U8] = words }
#define LOGIC(words) { [TIDE_BOOL] = words }
/* What goes through the host's vector functions. */
#define HOST_1(op) { FLOATS("by_host(host->f32[HOST_" #op "], $0, $0)") }
#define HOST_2(op) { FLOATS("by_host(host->f32[HOST_" #op "], $0, $1)") }

const spelling spelling_c = {
    .type = { [TIDE_F32] = "vf", [TIDE_F16] = "vf", [TIDE_BF16] = "vf", [TIDE_I32] = "vi", [TIDE_U8] = "vi",
              [TIDE_BOOL] = "vi" },
    .memory = { [TIDE_F32] = "float", [TIDE_F16] = "uint16_t", [TIDE_BF16] = "uint16_t", [TIDE_I32] = "int32_t",
                [TIDE_U8] = "uint8_t", [TIDE_BOOL] = "uint8_t" },
    .tag = { [TIDE_F32] = "f32", [TIDE_F16] = "f16", [TIDE_BF16] = "bf16", [TIDE_I32] = "i32", [TIDE_U8] = "u8",
             [TIDE_BOOL] = "bool" },
    .set = { [TIDE_F32] = "vf_set($0)", [TIDE_I32] = "vi_set($0)", [TIDE_U8] = "vi_set($0)",
             [TIDE_BOOL] = "vi_set(-(($0) != 0))" },
    .zero = { [TIDE_F32] = "vf_set(0)", [TIDE_I32] = "vi_set(0)", [TIDE_U8] = "vi_set(0)", [TIDE_BOOL] = "vi_set(0)" },
    .op = {
        [S_NEG] = { BOTH("-$0") },
        [S_ABS] = { FLOATS("vf_abs($0)"), INTEGERS("vi_if($0 < 0, -$0, $0)") },
        [S_SIGN] = { FLOATS("vf_sign($0)"), INTEGERS("($0 < 0) - ($0 > 0)") },
        [S_SQUARE] = { BOTH("$0 * $0") },
        [S_RECIPROCAL] = { FLOATS("1.0f / $0") },
        [S_SQRT] = { FLOATS("vf_sqrt($0)") },
        [S_RSQRT] = { FLOATS("1.0f / vf_sqrt($0)") },
        [S_EXP] = { FLOATS("vf_exp($0)") },
        [S_EXPM1] = HOST_1(EXPM1), [S_LOG] = HOST_1(LOG), [S_LOG1P] = HOST_1(LOG1P), [S_SIN] = HOST_1(SIN),
        [S_COS] = HOST_1(COS), [S_TANH] = HOST_1(TANH), [S_POW] = HOST_2(POW),
        [S_ERF] = { FLOATS("vf_erf($0)") },
        [S_FLOOR] = { FLOATS("vf_floor($0)"), INTEGERS("$0") },
        [S_CEIL] = { FLOATS("vf_ceil($0)"), INTEGERS("$0") },
        [S_ROUND] = { FLOATS("vf_round($0)"), INTEGERS("$0") },
        [S_SIGMOID] = { FLOATS("1.0f / (1.0f + vf_exp(-$0))") },
        [S_GELU] = { FLOATS("vf_gelu($0)") },
        [S_GELU_GRAD] = { FLOATS("vf_gelu_grad($0)") },
        [S_RELU] = { FLOATS("vf_if($0 < 0.0f, vf_set(0), $0)"), INTEGERS("vi_if($0 < 0, vi_set(0), $0)") },
        [S_IS_FINITE] = { FLOATS("vf_abs($0) <= FLT_MAX"), INTEGERS("vi_set(-1)"), [TIDE_U8] = "vi_set(-1)",
                          [TIDE_BOOL] = "vi_set(-1)" },
        [S_NOT] = LOGIC("~$0"),
        [S_ADD] = { BOTH("$0 + $1") }, [S_SUB] = { BOTH("$0 - $1") }, [S_MUL] = { BOTH("$0 * $1") },
        [S_DIV] = { FLOATS("$0 / $1") },
        [S_MAX] = { FLOATS("vf_max($0, $1)"), INTEGERS("vi_max($0, $1)") },
        [S_MIN] = { FLOATS("vf_min($0, $1)"), INTEGERS("vi_min($0, $1)") },
        [S_EQ] = COMPARE("$0 == $1"), [S_NE] = COMPARE("$0 != $1"),
        [S_LT] = { BOTH("$0 < $1"), [TIDE_U8] = "$0 < $1", [TIDE_BOOL] = "$0 > $1" },
        [S_LE] = { BOTH("$0 <= $1"), [TIDE_U8] = "$0 <= $1", [TIDE_BOOL] = "$0 >= $1" },
        [S_GT] = { BOTH("$0 > $1"), [TIDE_U8] = "$0 > $1", [TIDE_BOOL] = "$0 < $1" },
        [S_GE] = { BOTH("$0 >= $1"), [TIDE_U8] = "$0 >= $1", [TIDE_BOOL] = "$0 <= $1" },
        [S_AND] = LOGIC("$0 & $1"), [S_OR] = LOGIC("$0 | $1"),
        [S_AFTER] = { BOTH("$0"), [TIDE_U8] = "$0", [TIDE_BOOL] = "$0" },
        [S_WHERE] = { FLOATS("vf_if($0, $1, $2)"), INTEGERS("vi_if($0, $1, $2)"), [TIDE_U8] = "vi_if($0, $1, $2)",
                      [TIDE_BOOL] = "vi_if($0, $1, $2)" },
    },
    .cast = {
        [TIDE_F32] = { [TIDE_F32] = "$0", [TIDE_I32] = "vi_truncate($0)", [TIDE_BOOL] = "$0 != 0.0f" },
        [TIDE_I32] = { [TIDE_F32] = "vf_from($0)", [TIDE_I32] = "$0", [TIDE_BOOL] = "$0 != 0", [TIDE_U8] = "$0 & 255" },
        [TIDE_U8]  = { [TIDE_F32] = "vf_from($0)", [TIDE_I32] = "$0", [TIDE_BOOL] = "$0 != 0", [TIDE_U8] = "$0" },
        [TIDE_BOOL] = { [TIDE_F32] = "vf_from(-$0)", [TIDE_I32] = "-$0", [TIDE_BOOL] = "$0", [TIDE_U8] = "-$0" },
    },
    .reduce = {
        { [TIDE_F32] = { "vf_set(0)", "$0 + $1", "vf_set(vf_sum($0))" },
          [TIDE_I32] = { "vi_set(0)", "$0 + $1", "vi_set(vi_sum($0))" } },
        { [TIDE_F32] = { "vf_set(-INFINITY)", "vf_max($0, $1)", "vf_set(vf_highest($0))" },
          [TIDE_I32] = { "vi_set(INT32_MIN)", "vi_max($0, $1)", "vi_set(vi_highest($0))" } },
        { [TIDE_F32] = { "vf_set(INFINITY)", "vf_min($0, $1)", "vf_set(vf_lowest($0))" },
          [TIDE_I32] = { "vi_set(INT32_MAX)", "vi_min($0, $1)", "vi_set(vi_lowest($0))" } },
    },
};
