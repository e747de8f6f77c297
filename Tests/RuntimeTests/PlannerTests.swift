import Failure
import LaunchPlan
import OCI
import Testing

@testable import Runtime

@Suite struct PlannerTests {
    private var plain: SpecOptions {
        var options = SpecOptions()
        options.arguments = ["/bin/true"]
        options.hostname = "c1"
        return options
    }

    @Test func print() throws {
        Swift.print(text(try planned(plain)))
    }
}
