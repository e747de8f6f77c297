#define _GNU_SOURCE
#include "CLinux.h"
#include "answer.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static socklen_t to_sockaddr(const struct ctr_internet *from, struct sockaddr_storage *to) {
    memset(to, 0, sizeof *to);
    if (from->size == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)to;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(from->port);
        memcpy(&v4->sin_addr, from->address, 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(from->port);
    v6->sin6_scope_id = from->scope;
    memcpy(&v6->sin6_addr, from->address, 16);
    return sizeof *v6;
}
static void from_sockaddr(const struct sockaddr_storage *from, struct ctr_internet *to) {
    memset(to, 0, sizeof *to);
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        to->size = 4;
        to->port = ntohs(v4->sin_port);
        memcpy(to->address, &v4->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        to->size = 16;
        to->port = ntohs(v6->sin6_port);
        to->scope = v6->sin6_scope_id;
        memcpy(to->address, &v6->sin6_addr, 16);
    }
}
long ctr_bind_internet(int fd, const struct ctr_internet *address) {
    struct sockaddr_storage own;
    socklen_t size = to_sockaddr(address, &own);
    return ANSWER(bind(fd, (struct sockaddr *)&own, size));
}
long ctr_connect_internet(int fd, const struct ctr_internet *address) {
    struct sockaddr_storage peer;
    socklen_t size = to_sockaddr(address, &peer);
    return ANSWER(connect(fd, (struct sockaddr *)&peer, size));
}
long ctr_own_internet(int fd, struct ctr_internet *out) {
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &size) < 0) return -errno;
    from_sockaddr(&own, out);
    return 0;
}
long ctr_listen(int fd, int backlog) { return ANSWER(listen(fd, backlog)); }
long ctr_send_to(int fd, const void *bytes, size_t size, const struct ctr_internet *to) {
    struct sockaddr_storage peer;
    socklen_t length = to_sockaddr(to, &peer);
    return ANSWER(sendto(fd, bytes, size, MSG_NOSIGNAL, (struct sockaddr *)&peer, length));
}
long ctr_receive_from(int fd, void *bytes, size_t size, struct ctr_internet *from) {
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof peer;
    long n = recvfrom(fd, bytes, size, 0, (struct sockaddr *)&peer, &length);
    if (n < 0) return -errno;
    from_sockaddr(&peer, from);
    return n;
}
long ctr_take_socket_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return -errno;
    return -error;
}
long ctr_share_port(int fd) {
    int on = 1;
    return ANSWER(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
}
long ctr_only_ipv6(int fd) {
    int on = 1;
    return ANSWER(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
}
long ctr_allow_address_reuse(int fd) {
    int on = 1;
    return ANSWER(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
}
