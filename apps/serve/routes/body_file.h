/* A body as a file: for readers of files, whatever program wrote them. */
#ifndef SERVE_BODY_FILE_H
#define SERVE_BODY_FILE_H

#include "service.h"

typedef struct body_file { char path[64]; int fd; bool named; } body_file;

bool body_file_open(const char *bytes, size_t length, body_file *out, problem *p);
void body_file_close(body_file *f);
/* Each `from` in the text becomes `to`, as far as there is room. */
void text_replace(char *text, size_t size, const char *from, const char *to);
/* Messages and names speak of the file as the client called it. */
void body_file_rename(const body_file *f, const char *name, char *text, size_t size);

#endif
