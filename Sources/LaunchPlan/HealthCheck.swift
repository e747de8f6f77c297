internal import Failure

/// A container's health check as its monitor needs it. Times are nanoseconds.
package struct HealthCheck: Sendable, Equatable {
    /// What becomes of a container that has become unhealthy.
    package enum OnFailure: UInt8, Sendable, Equatable {
        case none, kill, restart, stop
    }

    package var interval: Int64
    package var timeout: Int64
    /// A check that fails so early in a run does not count.
    package var startPeriod: Int64
    /// The interval until the first success, during the start period.
    package var startInterval: Int64
    /// So many failures in a row make it unhealthy.
    package var retries: UInt32
    package var onFailure: OnFailure
    /// An encoded MonitorPlan of mode exec: one check. Made once, with the container's own plan; its slots are opened by the
    /// monitor at each check.
    package var plan: [UInt8]

    package init(
        interval: Int64, timeout: Int64, startPeriod: Int64, startInterval: Int64, retries: UInt32,
        onFailure: OnFailure, plan: [UInt8]
    ) {
        self.interval = interval
        self.timeout = timeout
        self.startPeriod = startPeriod
        self.startInterval = startInterval
        self.retries = retries
        self.onFailure = onFailure
        self.plan = plan
    }
}

extension PlanWriter {
    mutating func healthCheck(_ check: HealthCheck) {
        for time in [check.interval, check.timeout, check.startPeriod, check.startInterval] { number(time) }
        number(check.retries)
        number(check.onFailure.rawValue)
        data(check.plan)
    }
}

extension PlanReader {
    mutating func healthCheck() throws(Failure) -> HealthCheck {
        let interval = try number(Int64.self)
        let timeout = try number(Int64.self)
        let startPeriod = try number(Int64.self)
        let startInterval = try number(Int64.self)
        let retries = try number(UInt32.self)
        guard let onFailure = HealthCheck.OnFailure(rawValue: try number()) else { throw PlanReader.damaged }
        return HealthCheck(
            interval: interval, timeout: timeout, startPeriod: startPeriod, startInterval: startInterval,
            retries: retries, onFailure: onFailure, plan: try data())
    }
}
