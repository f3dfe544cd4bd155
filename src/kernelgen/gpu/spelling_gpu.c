/* The operations of a map in the words of GPU kernels (gpu.h), one number at a time: functions are those of
 * scalars.txt. U8 and BOOL are ints, brought back to their range; integers wrap, so what may overflow is unsigned. */
#include "../spelling.h"

#define FLOATS(f, d) [TIDE_F32] = f, [TIDE_F64] = d
#define FUNCTION_1(name) FLOATS("f_" name "($0)", "d_" name "($0)")
#define FUNCTION_2(name) FLOATS("f_" name "($0, $1)", "d_" name "($0, $1)")
#define WRAPPING(op) [TIDE_I32] = "(int)((uint)$0 " op " (uint)$1)", [TIDE_I64] = "(i64)((u64)$0 " op " (u64)$1)", \
                     [TIDE_U8] = "($0 " op " $1) & 255", [TIDE_BOOL] = "($0 " op " $1) != 0"
#define SIGNED(words) [TIDE_I32] = words, [TIDE_I64] = words
#define UNSIGNED(words) [TIDE_U8] = words, [TIDE_BOOL] = words
#define INTEGERS(words) SIGNED(words), UNSIGNED(words)
#define ALL(words) FLOATS(words, words), INTEGERS(words)
#define NEGATED_I32 "(int)(0u - (uint)$0)"
#define NEGATED_I64 "(i64)((u64)0 - (u64)$0)"
#define DIVIDED(negated) "$1 == 0 ? 0 : $1 == -1 ? " negated " : $0 / $1"

const spelling spelling_gpu = {
    .op = {
        [S_NEG] = { FLOATS("-$0", "-$0"), [TIDE_I32] = NEGATED_I32, [TIDE_I64] = NEGATED_I64, [TIDE_U8] = "-$0 & 255",
                    [TIDE_BOOL] = "$0" },
        [S_ABS] = { FLOATS("AS_FLOAT(AS_UINT($0) & 0x7fffffffu)", "$0 < 0 ? -$0 : $0 + 0"),
                    [TIDE_I32] = "$0 < 0 ? " NEGATED_I32 " : $0", [TIDE_I64] = "$0 < 0 ? " NEGATED_I64 " : $0",
                    UNSIGNED("$0") },
        [S_SIGN] = { FUNCTION_1("sign"), INTEGERS("($0 > 0) - ($0 < 0)") },
        [S_SQUARE] = { FLOATS("$0 * $0", "$0 * $0"), [TIDE_I32] = "(int)((uint)$0 * (uint)$0)",
                       [TIDE_I64] = "(i64)((u64)$0 * (u64)$0)", [TIDE_U8] = "$0 * $0 & 255", [TIDE_BOOL] = "$0" },
        [S_RECIPROCAL] = { FLOATS("1.0f / $0", "1 / $0") },
        [S_SQRT]       = { FLOATS("SQRT($0)", "SQRT_D($0)") },
        [S_RSQRT]      = { FLOATS("1.0f / SQRT($0)", "1 / SQRT_D($0)") },
        [S_EXP] = { FUNCTION_1("exp") }, [S_EXPM1] = { FUNCTION_1("expm1") }, [S_LOG] = { FUNCTION_1("log") },
        [S_LOG1P] = { FUNCTION_1("log1p") }, [S_SIN] = { FUNCTION_1("sin") }, [S_COS] = { FUNCTION_1("cos") },
        [S_TANH] = { FUNCTION_1("tanh") }, [S_ERF] = { FUNCTION_1("erf") },
        [S_FLOOR]     = { FLOATS("FLOOR($0)", "FLOOR_D($0)"), INTEGERS("$0") },
        [S_CEIL]      = { FLOATS("CEIL($0)", "CEIL_D($0)"), INTEGERS("$0") },
        [S_ROUND]     = { FLOATS("RINT($0)", "RINT_D($0)"), INTEGERS("$0") },
        [S_SIGMOID]   = { FUNCTION_1("sigmoid") },
        [S_GELU]      = { FUNCTION_1("gelu") },
        [S_GELU_GRAD] = { FUNCTION_1("gelu_grad") },
        [S_RELU]      = { ALL("$0 < 0 ? 0 : $0") },
        [S_IS_FINITE] = { FLOATS("(AS_UINT($0) & 0x7f800000u) != 0x7f800000u", "$0 - $0 == 0"), INTEGERS("1") },
        [S_NOT] = { INTEGERS("$0 == 0") },
        [S_ADD] = { FLOATS("$0 + $1", "$0 + $1"), WRAPPING("+") },
        [S_SUB] = { FLOATS("$0 - $1", "$0 - $1"), WRAPPING("-") },
        [S_MUL] = { FLOATS("$0 * $1", "$0 * $1"), WRAPPING("*") },
        [S_DIV] = { FLOATS("$0 / $1", "$0 / $1"), [TIDE_I32] = DIVIDED(NEGATED_I32), [TIDE_I64] = DIVIDED(NEGATED_I64),
                    UNSIGNED("$1 == 0 ? 0 : $0 / $1") },
        [S_POW] = { FUNCTION_2("pow") },
        [S_MAX] = { FUNCTION_2("max"), INTEGERS("$0 > $1 ? $0 : $1") },
        [S_MIN] = { FUNCTION_2("min"), INTEGERS("$0 < $1 ? $0 : $1") },
        [S_EQ] = { ALL("$0 == $1") }, [S_NE] = { ALL("$0 != $1") }, [S_LT] = { ALL("$0 < $1") },
        [S_LE] = { ALL("$0 <= $1") }, [S_GT] = { ALL("$0 > $1") }, [S_GE] = { ALL("$0 >= $1") },
        [S_AND] = { INTEGERS("$0 != 0 && $1 != 0") }, [S_OR] = { INTEGERS("$0 != 0 || $1 != 0") },
        [S_AFTER] = { ALL("$0") },
        [S_WHERE] = { ALL("$0 ? $1 : $2") },
    },
    .cast = {
        [TIDE_F32] = { FLOATS("$0", "(double)$0"), [TIDE_I32] = "i_from_f($0)", [TIDE_I64] = "l_from_f($0)",
                       [TIDE_U8] = "u8_from_f($0)", [TIDE_BOOL] = "$0 != 0" },
        [TIDE_F64] = { FLOATS("(float)$0", "$0"), [TIDE_I32] = "i_from_d($0)", [TIDE_I64] = "l_from_d($0)",
                       [TIDE_U8] = "u8_from_d($0)", [TIDE_BOOL] = "$0 != 0" },
        [TIDE_I32] = { FLOATS("(float)$0", "(double)$0"), SIGNED("$0"), [TIDE_U8] = "$0 & 255",
                       [TIDE_BOOL] = "$0 != 0" },
        [TIDE_I64] = { FLOATS("f_from_l($0)", "(double)$0"), [TIDE_I32] = "(int)(uint)(u64)$0", [TIDE_I64] = "$0",
                       [TIDE_U8] = "(int)((uint)(u64)$0 & 255u)", [TIDE_BOOL] = "$0 != 0" },
        [TIDE_U8]   = { FLOATS("(float)$0", "(double)$0"), SIGNED("$0"), [TIDE_U8] = "$0", [TIDE_BOOL] = "$0 != 0" },
        [TIDE_BOOL] = { FLOATS("(float)$0", "(double)$0"), INTEGERS("$0") },
    },
    .reduce = {
        { [TIDE_F32] = { "0.0f", "$0 + $1", "$0" }, [TIDE_F64] = { "0", "$0 + $1", "$0" },
          [TIDE_I32] = { "0", "(int)((uint)$0 + (uint)$1)", "$0" },
          [TIDE_I64] = { "0", "(i64)((u64)$0 + (u64)$1)", "$0" },
          [TIDE_U8] = { "0", "(int)((uint)$0 + (uint)$1)", "$0 & 255" },
          [TIDE_BOOL] = { "0", "$0 | $1", "$0" } },
        { [TIDE_F32] = { "-INF_F", "f_max($0, $1)", "$0" },
          [TIDE_F64] = { "-(double)INF_F", "d_max($0, $1)", "$0" },
          [TIDE_I32] = { "(-2147483647 - 1)", "$0 > $1 ? $0 : $1", "$0" },
          [TIDE_I64] = { "(i64)((u64)1 << 63)", "$0 > $1 ? $0 : $1", "$0" },
          [TIDE_U8] = { "0", "$0 > $1 ? $0 : $1", "$0" }, [TIDE_BOOL] = { "0", "$0 > $1 ? $0 : $1", "$0" } },
        { [TIDE_F32] = { "INF_F", "f_min($0, $1)", "$0" },
          [TIDE_F64] = { "(double)INF_F", "d_min($0, $1)", "$0" },
          [TIDE_I32] = { "2147483647", "$0 < $1 ? $0 : $1", "$0" },
          [TIDE_I64] = { "(i64)(~(u64)0 >> 1)", "$0 < $1 ? $0 : $1", "$0" },
          [TIDE_U8] = { "255", "$0 < $1 ? $0 : $1", "$0" }, [TIDE_BOOL] = { "1", "$0 < $1 ? $0 : $1", "$0" } },
    },
};
