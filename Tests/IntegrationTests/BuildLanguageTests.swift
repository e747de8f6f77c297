import Foundation
import Testing

@Suite("build: the language", .needs())
struct BuildLanguageTests {
    /// Every instruction once or more; with a backtick as its escape character.
    private static let everything = #"""
        # syntax=docker/dockerfile:1
        # escape=`
        ARG BASE=busybox:test
        ARG GLOBAL=global
        ARG HIDDEN=hidden
        FROM ${BASE} AS First
        ARG GLOBAL
        ARG OWN=own
        ARG GIVEN=default CALLERS
        ARG NOVALUE
        ARG TARGETPLATFORM
        ARG TARGETOS
        ARG TARGETARCH
        ARG BUILDPLATFORM
        ENV OLD old form  with spaces
        ENV A=1 B="two words" C=three` words D=$A
        ENV A=2 E=$A EMPTY=
        ARG A=arg
        RUN echo "$GLOBAL,$HIDDEN,$OWN,$GIVEN,$CALLERS,${NOVALUE-unset}" > /args; `
        # a comment between
            echo "$OLD|$A|$B|$C|$D|$E" > /env; `
            echo "$TARGETPLATFORM $TARGETOS/$TARGETARCH $BUILDPLATFORM $TARGETVARIANT" > /platforms
        RUN <<EOT
        set -e
        echo one > /script
        echo "$0 two" >> /script
        EOT
        RUN <<EOT
        #!/bin/awk -f
        BEGIN { print "by awk" > "/awk" }
        EOT
        COPY <<PLAIN <<"QUOTED" /here/
        $OWN ${A}
        PLAIN
        $OWN ${A}
        QUOTED
        COPY <<-TABS /tabs
        	one
        		two
        	TABS
        COPY ["with space", "/a dir/with space"]
        ADD --chmod=600 --chown=app:extra file /added
        SHELL ["/bin/sh", "-ec"]
        RUN echo "$0 $-" > /shell
        LABEL one=1 "two words"="x y" three=$OWN
        USER app
        WORKDIR /srv
        WORKDIR sub
        RUN pwd > where; id -un >> where; id -Gn >> where; echo $HOME >> where
        USER root
        STOPSIGNAL SIGUSR1
        VOLUME ["/data", "/more"]
        VOLUME /x /y
        EXPOSE 80-82 53/udp $A/tcp
        HEALTHCHECK --interval=5s --timeout=2s --start-period=1m --retries=4 CMD ["true"]
        ENTRYPOINT ["entry"]
        CMD one line
        MAINTAINER someone@example.org
        ONBUILD RUN echo $0 > /trigger
        ONBUILD ENV TRIGGERED=yes
        """#

    private func config(_ ctr: Fixture, _ image: String) throws -> [String: Any] {
        let all = try JSONSerialization.jsonObject(with: Data(try ctr.ok("inspect", image).utf8))
        let first = try #require((all as? [[String: Any]])?.first)
        return try #require(first["Config"] as? [String: Any])
    }

    @Test func everyInstruction() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(Self.everything, ["with space": "spaced", "file": "added"])
            try ctr.built(
                "-t", "all:1", "--build-arg", "GIVEN=given", "--build-arg", "CALLERS", "--build-arg",
                "NOVALUE", context, environment: ["CALLERS": "the caller's"])
            func file(_ path: String) throws -> String { try ctr.run("all:1", "cat '\(path)'") }
            #expect(try file("/args") == "global,,own,given,the caller's,unset")
            #expect(try file("/env") == "old form  with spaces|2|two words|three words||1")
            let platform = "linux/\(ImageLayout.architecture)"
            #expect(try file("/platforms") == "\(platform) \(platform) \(platform)")
            #expect(try file("/script") == "one\n/bin/sh two")
            #expect(try file("/awk") == "by awk")
            #expect(try file("/here/PLAIN") == "own 2")
            #expect(try file("/here/QUOTED") == "$OWN ${A}")
            #expect(try file("/tabs") == "one\ntwo")
            #expect(try file("/a dir/with space") == "spaced")
            #expect(try ctr.run("all:1", "stat -c '%a %U:%G' /added") == "600 app:extra")
            #expect(try file("/shell").wholeMatch(of: /\/bin\/sh \w*e\w*/) != nil)
            #expect(try file("/srv/sub/where") == "/srv/sub\napp\napp extra more\n/home/app")

            let config = try config(ctr, "all:1")
            #expect(
                config["Env"] as? [String] == [
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "OLD=old form  with spaces", "A=2", "B=two words", "C=three words", "D=", "E=1", "EMPTY=",
                ])
            #expect(config["User"] as? String == "root")
            #expect(config["WorkingDir"] as? String == "/srv/sub")
            #expect(config["StopSignal"] as? String == "SIGUSR1")
            #expect(config["Entrypoint"] as? [String] == ["entry"])
            #expect(config["Cmd"] as? [String] == ["/bin/sh", "-ec", "one line"])
            #expect(
                config["Labels"] as? [String: String] == ["one": "1", "two words": "x y", "three": "own"])
            #expect(
                Set((config["ExposedPorts"] as? [String: Any] ?? [:]).keys) == [
                    "80/tcp", "81/tcp", "82/tcp", "53/udp", "2/tcp",
                ])
            #expect(
                Set((config["Volumes"] as? [String: Any] ?? [:]).keys) == ["/data", "/more", "/x", "/y"])
            #expect(config["Shell"] as? [String] == ["/bin/sh", "-ec"])
            #expect(
                config["OnBuild"] as? [String] == ["RUN echo $0 > /trigger", "ENV TRIGGERED=yes"])
            let check = try #require(config["Healthcheck"] as? [String: Any])
            #expect(check["Test"] as? [String] == ["CMD", "true"])
            #expect(check["Interval"] as? Int == 5_000_000_000)
            #expect(check["Timeout"] as? Int == 2_000_000_000)
            #expect(check["StartPeriod"] as? Int == 60_000_000_000)
            #expect(check["Retries"] as? Int == 4)
            #expect(try ctr.inspect("all:1", "{{.Author}}") == "someone@example.org")

            // ONBUILD is done by the child, in its parent's shell, and is gone from it.
            let child = try ctr.context("child", "FROM all:1\nRUN cat /trigger; echo $TRIGGERED\n")
            let outcome = try ctr.built("-t", "child:1", child)
            #expect(try outcome.step("cat /trigger").lines == ["/bin/sh", "yes"])
            let inherited = try self.config(ctr, "child:1")
            #expect(inherited["OnBuild"] as? [String] ?? [] == [])
            #expect((inherited["Env"] as? [String])?.contains("TRIGGERED=yes") == true)
            #expect(inherited["Entrypoint"] as? [String] == ["entry"])
        }
    }

    /// ENTRYPOINT takes its base's CMD away, but not one of the same file.
    @Test func entrypointAndCommand() throws {
        try withFixture { ctr in
            try ctr.busybox()
            func command(_ lines: String) throws -> [String] {
                try ctr.context("FROM busybox:test\n" + lines)
                try ctr.built("-t", "x:1", ctr.path("context"))
                return try config(ctr, "x:1")["Cmd"] as? [String] ?? []
            }
            #expect(try command("") == ["sh"])
            #expect(try command("ENTRYPOINT [\"e\"]\n") == [])
            #expect(try command("CMD [\"c\"]\nENTRYPOINT [\"e\"]\n") == ["c"])
            #expect(try command("ENTRYPOINT [\"e\"]\nCMD [\"c\"]\n") == ["c"])
        }
    }

    /// A base's HEALTHCHECK stays, and NONE takes it away.
    @Test func healthChecks() throws {
        try withFixture { ctr in
            try ctr.busybox()
            try ctr.context("FROM busybox:test\nHEALTHCHECK CMD true\n")
            try ctr.built("-t", "one:1", ctr.path("context"))
            try ctr.context("FROM one:1\n")
            try ctr.built("-t", "two:1", ctr.path("context"))
            try ctr.context("FROM two:1\nHEALTHCHECK NONE\n")
            try ctr.built("-t", "three:1", ctr.path("context"))
            func test(_ image: String) throws -> [String]? {
                (try config(ctr, image)["Healthcheck"] as? [String: Any])?["Test"] as? [String]
            }
            #expect(try test("one:1") == ["CMD-SHELL", "true"])
            #expect(try test("two:1") == ["CMD-SHELL", "true"])
            #expect(try test("three:1") == ["NONE"])
        }
    }

    /// BuildKit's: the directory belongs to the user of that moment.
    @Test func workingDirectoriesAreTheUsers() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                WORKDIR /of/root
                USER app
                WORKDIR /of/app/deep
                USER 7:8
                WORKDIR numbers
                USER app:extra
                WORKDIR /of
                """)
            try ctr.built("-t", "x:1", context)
            #expect(
                try ctr.run(
                    "x:1", "stat -c '%u:%g %a' /of /of/root /of/app /of/app/deep /of/app/deep/numbers")
                    == "0:0 755\n0:0 755\n1000:1000 755\n1000:1000 755\n7:8 755")
        }
    }

    /// `--build-arg` of predefined proxies is for RUN alone: neither in the history nor a reason to run again.
    @Test func proxies() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context("FROM busybox:test\nRUN echo \"[$HTTP_PROXY$no_proxy]\"\n")
            let first = try ctr.built(
                "-t", "x:1", "--build-arg", "HTTP_PROXY=http://user:word@proxy", "--build-arg", "no_proxy=!",
                context)
            #expect(try first.step("echo").lines == ["[http://user:word@proxy!]"])
            let second = try ctr.built("-t", "x:1", "--build-arg", "HTTP_PROXY=http://other", context)
            #expect(try second.step("echo").isCached)
            #expect(!(try ctr.ok("history", "--no-trunc", "x:1")).contains("user:word"))
            #expect(try ctr.filesHolding("user:word@proxy") == [])
        }
    }
}
