/// How a step ended.
package enum StepEnd: Sendable, Equatable {
    case done
    case cached
    case failed(String)
    case canceled
}
