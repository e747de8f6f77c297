// A static executable registers its frame tables at start-up, and the first unwind (any thread's
// exit) sorts all of them: milliseconds for nothing, since --eh-frame-hdr already gives the
// unwinder a sorted index. Linked with --wrap of both names.
void __wrap___register_frame_info(const void *begin, void *object) { (void)begin; (void)object; }
void *__wrap___deregister_frame_info(const void *begin) { (void)begin; return 0; }
