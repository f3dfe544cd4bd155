/* A request, checked by the tables of the applications, as the words of a command line. (commands.c) */
#ifndef SERVE_JOBS_COMMANDS_H
#define SERVE_JOBS_COMMANDS_H

#include "serve/jobs/jobs.h"

/* What a request asks for. The lists and objects are owned. */
typedef struct job_asked {
    const jobs_command *command;
    json_t *words;      /* ["forecast", "train", "--d-model=64", ..]: without program, inputs and outputs */
    json_t *uploads;    /* {option: [ID, ..]} */
    json_t *models;     /* {option: ID} */
    json_t *options;    /* as they came */
    const char *name;   /* the request's; "" */
} job_asked;

/* TIDE_EINVAL names the member or option. `out` is zeroed first and to be released in any case. */
tide_status job_ask(const json_t *request, const jobs_command *more, int threads, job_asked *out,
                    tide_failure *failure);
/* Is it a name for a job? */
tide_status job_name_check(const char *name, tide_failure *failure);
void        job_asked_free(job_asked *asked);
/* Appends "--OPTION=FOLDER/..." of what the command writes, and its fixed options. */
bool        job_words_end(const jobs_command *command, const char *folder, json_t *words);
bool        job_word(json_t *words, const char *option, const char *value);
/* "tidemill forecast train --d-model=64": as a shell reads it, malloc'ed. */
char       *job_line(const json_t *words);

#endif
