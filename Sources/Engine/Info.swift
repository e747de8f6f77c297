package import Failure
internal import ImageStore
internal import LinuxSystem
internal import Networks
internal import Runtime

/// A line of `info`; `key` is docker's name for it in `--format`.
package struct InfoLine: Sendable {
    package let key: String
    package let label: String
    package let text: String
    package let number: Int64?
}

extension Engine {
    package func info() throws(Failure) -> [InfoLine] {
        let states = try containers().map(\.state)
        let images = Set(try references.list().images.map(\.id)).count
        let host = try hostFacts()
        func number(_ key: String, _ label: String, _ value: Int) -> InfoLine {
            InfoLine(key: key, label: label, text: String(value), number: Int64(value))
        }
        func text(_ key: String, _ label: String, _ value: String) -> InfoLine {
            InfoLine(key: key, label: label, text: value, number: nil)
        }
        return [
            number("Containers", "Containers", states.count),
            number("ContainersRunning", " Running", states.filter(\.isRunning).count),
            number("ContainersStopped", " Stopped", states.filter { !$0.isRunning }.count),
            number("Images", "Images", images),
            text("ServerVersion", "Version", Build.version),
            text("Driver", "Storage Driver", "overlay"),
            text("LoggingDriver", "Logging Driver", "json-file"),
            text(
                "NetworkDrivers", "Network Drivers",
                Network.Driver.allCases.map(\.rawValue).joined(separator: " ")),
            text("CgroupDriver", "Cgroup Driver", host.cgroups.systemd ? "systemd" : "cgroupfs"),
            text("CgroupVersion", "Cgroup Version", host.cgroups.hierarchies.isEmpty ? "2" : "1"),
            text(
                "SecurityOptions", "Security Options",
                (["seccomp"] + (host.appArmor ? ["apparmor"] : []) + (host.seLinux ? ["selinux"] : []))
                    .joined(separator: " ")),
            text("KernelVersion", "Kernel Version", Build.kernelVersion()),
            text("OSType", "OSType", "linux"),
            text("Architecture", "Architecture", Build.architecture),
            text("DockerRootDir", "Root Dir", rootPath),
            text("RunDir", "Run Dir", runPath),
        ]
    }
}
