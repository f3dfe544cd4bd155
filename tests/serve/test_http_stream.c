/* A stream whose client reads nothing ends, while the server runs and when it stops: neither waits for it for ever. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/http/http.h"

static http_stream *stream;
static atomic_bool  ended;

static void follow(void *user, http_request *r) {
    (void)user;
    stream = http_stream_open(r, "text/event-stream");
}

static bool admit(void *user, http_request *r) { return (void)user, (void)r, true; }

static void refuse(void *user, http_request *r, int status, const char *detail) {
    (void)user, (void)detail;
    http_reply(r, status, "text/plain", NULL, 0);
}

/* As much as the client's and the system's buffers take, and more. */
static void *send_until_it_ends(void *unused) {
    static char block[1 << 16];
    const struct timespec pause = { 0, 1000000 };
    (void)unused;
    memset(block, 'x', sizeof block);
    while (http_stream_alive(stream)) {
        if (http_stream_waiting(stream) < sizeof block * 4) http_stream_send(stream, block, sizeof block);
        else nanosleep(&pause, NULL);
    }
    http_stream_close(stream);
    atomic_store(&ended, true);
    return NULL;
}

static int ask(int port) {
    static const char request[] = "GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    char first[1];
    int  fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    bool fine = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && write(fd, request, sizeof request - 1) > 0 &&
                read(fd, first, 1) == 1;
    return fine ? fd : -1;
}

/* `stop`: the server is closed while its client does not read; else the client's time is over. */
static bool check(bool stop) {
    static const http_route routes[] = { { "GET", "/s", follow, true, 0 }, { NULL, NULL, NULL, false, 0 } };
    const http_options o = { .host = "127.0.0.1", .root_path = "", .threads = 1, .connections = 8, .streams = 2,
                             .connections_of_one = 8, .most_body = 1, .most_bodies = 1, .arrive_s = 60, .idle_s = 60,
                             .send_s = stop ? 1e9 : 0.3, .last_s = 0.3, .beat_s = 1, .routes = routes,
                             .admit = admit, .refuse = refuse };
    const struct timespec pause = { 0, 10000000 };
    tide_failure failure = { 0 };
    http_server *s;
    pthread_t    sender;
    if (http_open(&o, &s, &failure) != TIDE_OK) return false;
    int fd = ask(http_port(s));
    atomic_store(&ended, false);
    bool fine = fd >= 0 && pthread_create(&sender, NULL, send_until_it_ends, NULL) == 0;
    while (fine && !stop && (!atomic_load(&ended) || http_streams(s))) nanosleep(&pause, NULL);
    while (fine && stop && http_stream_waiting(stream) < 1 << 18) nanosleep(&pause, NULL);
    http_close(s);
    if (fine) pthread_join(sender, NULL);
    close(fd);
    return fine;
}

int main(void) {
    static const char *const when[] = { "when its time is over", "when the server stops" };
    for (int stop = 0; stop < 2; stop++) {
        bool fine = check(stop);
        printf("%s %s\n", fine ? "[       OK ]" : "[  FAILED  ]", when[stop]);
        if (!fine) return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
