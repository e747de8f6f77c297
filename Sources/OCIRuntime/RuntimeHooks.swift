internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import OCI

/// The hooks that run in the runtime's own namespaces: prestart, createRuntime, poststart, poststop. Those of the
/// container's are steps of its plan.
enum RuntimeHooks {
    /// Where create ran its hooks, those of later calls run too. A bundle that is gone leaves them where they are.
    static func enter(_ bundle: String, for hooks: [RuntimeSpec.Hook]?) {
        if hooks?.isEmpty == false { try? WorkingDirectory.enter(bundle) }
    }

    /// Each gets the state on its standard input. The first that fails ends it.
    static func run(_ hooks: [RuntimeSpec.Hook]?, _ name: String, state: RuntimeState) throws(Failure) {
        guard let hooks, !hooks.isEmpty else { return }
        let input = try JSON.encode(state)
        for (index, hook) in hooks.enumerated() {
            do throws(Failure) { try run(hook, input: input) } catch {
                throw error.within("hooks.\(name).\(index)")
            }
        }
    }

    /// poststop: what fails is told, and the others still run (runtime.md, "Lifecycle").
    static func runAll(
        _ hooks: [RuntimeSpec.Hook]?, _ name: String, state: RuntimeState, warn: (String) -> Void
    ) throws(Failure) {
        guard let hooks, !hooks.isEmpty else { return }
        let input = try JSON.encode(state)
        for (index, hook) in hooks.enumerated() {
            do throws(Failure) { try run(hook, input: input) } catch {
                warn(error.within("hooks.\(name).\(index)").message)
            }
        }
    }

    private static func run(_ hook: RuntimeSpec.Hook, input: [UInt8]) throws(Failure) {
        try HookProgram.run(
            hook.path, arguments: hook.args ?? [hook.path], environment: hook.env ?? [], input: input,
            milliseconds: UInt64(clamping: hook.timeout ?? 0) * 1000)
    }
}
