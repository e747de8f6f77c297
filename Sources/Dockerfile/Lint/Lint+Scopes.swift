extension Lint {
    /// What FROM sees. `overridden`: build arguments have the last word; else the defaults alone count.
    func globalScope(overridden: Bool) -> LintScope {
        var scope = LintScope()
        scope.values = LintScope.platform
        for (name, value) in buildArguments where overridden && LintScope.platform[name] != nil {
            scope.values[name] = value
        }
        for instruction in document.globalArguments {
            guard case .arg(let declarations) = instruction.kind else { continue }
            for declaration in declarations {
                let expansion = expansion(scope)
                let given = overridden ? buildArguments[declaration.name] : nil
                let written = declaration.value.flatMap { try? expansion.word($0).value }
                // A platform argument has its value without being given one.
                let value = given ?? written ?? LintScope.platform[declaration.name]
                scope.declare(declaration.name, value)
            }
        }
        return scope
    }

    /// The first scope of a stage: what its base leaves it.
    func initialScope(base: String, stages: [String: LintScope]) -> LintScope {
        if let inherited = stages[base.lowercased()] { return inherited }
        var scope = LintScope()
        scope.known = LintScope.proxies
        if base == "scratch" {
            scope.known.insert("PATH")
        } else if let environment = imageEnvironments[base] {
            scope.known.formUnion(environment.union(["PATH"]))
        } else {
            scope.known.formUnion(LintScope.common)
        }
        return scope
    }

    func expansion(_ scope: LintScope) -> Expansion {
        Expansion(escape: document.escape, variables: scope.values)
    }

    /// The stages that the target needs, itself among them; all where there is no such target or none is asked for.
    func neededStages() -> Set<Int> {
        let all = Set(document.stages.indices)
        guard let target, let last = index(of: target, before: document.stages.count) else { return all }
        let expansion = expansion(globalScope(overridden: true))
        var needed: Set<Int> = []
        var queue = [last]
        while let index = queue.popLast() {
            guard needed.insert(index).inserted else { continue }
            let stage = document.stages[index]
            let base = (try? stage.expandingBase(expansion))?.base ?? stage.base
            var sources = [base]
            for instruction in stage.instructions {
                switch instruction.kind {
                case .copy(let files): sources += files.from.map { [$0] } ?? []
                case .run(let run): sources += run.mounts.flatMap(Self.sources)
                default: break
                }
            }
            // A FROM's number is no stage.
            queue += sources.enumerated().compactMap { place, name in
                self.index(of: name, before: index, byNumber: place > 0)
            }
        }
        return needed
    }

    private static func sources(ofMount text: String) -> [String] {
        text.split(separator: ",").filter { $0.hasPrefix("from=") }.map { String($0.dropFirst(5)) }
    }

    private func index(of name: String, before end: Int, byNumber: Bool = true) -> Int? {
        let stages = document.stages[..<end]
        if let index = stages.lastIndex(where: { $0.name == name.lowercased() }) { return index }
        guard byNumber, let number = Int(name), stages.indices.contains(number) else { return nil }
        return number
    }
}
