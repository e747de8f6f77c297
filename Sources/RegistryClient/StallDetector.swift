internal import NIOCore

/// Ends a connection on which more was asked for and nothing comes.
///
/// The clock runs only while a read is wanted: a slow consumer, which stops asking, is no stalled registry. That is
/// why async-http-client's own read timeout is not used; it counts the consumer's time too.
final class StallDetector: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    struct Stalled: Error {
        let limit: TimeAmount
    }

    private let afterReading: TimeAmount
    private let afterWriting: TimeAmount
    private var limit: TimeAmount
    private var isWaiting = false
    private var since = NIODeadline.now()
    private var timer: Scheduled<Void>?

    /// - Parameters:
    ///   - afterReading: how long the next bytes of a body may take.
    ///   - afterWriting: how long the first bytes of an answer may take.
    init(afterReading: TimeAmount, afterWriting: TimeAmount) {
        self.afterReading = afterReading
        self.afterWriting = afterWriting
        limit = afterWriting
    }

    func read(context: ChannelHandlerContext) {
        if !isWaiting {
            isWaiting = true
            since = .now()
        }
        if timer == nil { arm(context) }
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isWaiting = false
        limit = afterReading
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        since = .now()
        limit = afterWriting
        context.write(data, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    /// One timer that looks again, not one a read: reads come tens of thousands of times a second.
    private func arm(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: since + min(limit, afterReading)) {
            self.timer = nil
            guard self.isWaiting else { return }
            guard NIODeadline.now() >= self.since + self.limit else { return self.arm(context) }
            context.fireErrorCaught(Stalled(limit: self.limit))
            context.close(promise: nil)
        }
    }
}
