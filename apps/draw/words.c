#include "words.h"

int word_character(const unsigned char *s, uint32_t *code) {
    static const struct {
        uint32_t mask, mark, least;
    } forms[] = { { 0x80, 0, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
    for (int length = 1; length <= 4; length++) {
        if ((s[0] & forms[length - 1].mask) != forms[length - 1].mark) continue;
        *code = s[0] & ~forms[length - 1].mask;
        for (int i = 1; i < length; i++) {
            if ((s[i] & 0xc0) != 0x80) return 0;
            *code = *code << 6 | (s[i] & 0x3f);
        }
        return *code >= forms[length - 1].least && *code <= 0x10ffff ? length : 0;
    }
    return 0;
}

bool word_is_text(uint32_t code) {
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0), surrogate = code >= 0xd800 && code < 0xe000;
    return !control && !surrogate && !(code >= 0xfdd0 && code <= 0xfdef) && (code & 0xfffe) != 0xfffe;
}
