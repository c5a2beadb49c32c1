// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteLite
import Testing
import console

@Suite("Commands of the console")
struct CommandTests {
    private static let urgent = SendOptions(priority: .urgent)
    private static let kept = SendOptions(priority: .bulk, durable: true)

    @Test(
        "How a message is to be sent stands before the rest",
        arguments: [
            ("publish a 1", .publish(channel: "a", 1, SendOptions())),
            ("publish --urgent a 1", .publish(channel: "a", 1, urgent)),
            ("publish  --bulk --durable  a {\"n\":1}", .publish(channel: "a", ["n": 1], kept)),
            ("request --urgent a 1 2.5", .request(channel: "a", 1, limit: .seconds(2.5), urgent)),
            (
                "send --durable --bulk {\"type\":\"x/y\"}",
                .send(Event(id: "x/y", data: .map([:])), kept)
            ),
            ("event --urgent [:x/y 1] 2", .event(Event(id: "x/y", data: 1), limit: .seconds(2), urgent)),
            ("publish a \"--urgent\"", .publish(channel: "a", "--urgent", SendOptions())),
            ("publish --stored --urgent a 1", .publish(channel: "a", 1, urgent, isStored: true)),
        ] as [(String, console.Command)])
    func options(line: String, command: console.Command) throws {
        #expect(try console.Command(line) == command)
    }

    @Test(
        "A channel is followed from a place",
        arguments: [
            ("subscribe a", .subscribe(channel: "a")),
            ("subscribe a --from 7", .subscribe(channel: "a", from: .sequence(7))),
            ("subscribe a.>  --from  last", .subscribe(channel: "a.>", from: .lastOfEach)),
            ("subscribe a --from next", .subscribe(channel: "a", from: .next)),
        ] as [(String, console.Command)])
    func places(line: String, command: console.Command) throws {
        #expect(try console.Command(line) == command)
        #expect(throws: UsageError.self) { try console.Command("subscribe a --from") }
        #expect(throws: UsageError.self) { try console.Command("subscribe a --from -1") }
    }

    @Test(
        "Files go and come by name",
        arguments: [
            ("upload a.bin", .upload(file: "a.bin", channel: "files")),
            ("upload  /tmp/a.bin  reports", .upload(file: "/tmp/a.bin", channel: "reports")),
            ("download a.bin", .download(name: "a.bin", folder: ".")),
            ("download a.bin /tmp", .download(name: "a.bin", folder: "/tmp")), ("streams", .streams),
        ] as [(String, console.Command)])
    func files(line: String, command: console.Command) throws {
        #expect(try console.Command(line) == command)
        #expect(throws: UsageError.self) { try console.Command("upload") }
        #expect(throws: UsageError.self) { try console.Command("download a b c") }
    }

    @Test(
        "A way to send that there is not is refused with those there are",
        arguments: [
            (
                "publish --now a 1",
                "“--now” is none of --urgent, --bulk, --durable. The command is: publish [--stored] [HOW] CHANNEL JSON."
            ),
            (
                "request --urgent --bulk a 1",
                "A message has one priority: --urgent or --bulk, or neither. The command is: "
                    + "request [HOW] CHANNEL JSON [SECONDS]."
            ),
            ("send --durable", "The JSON is missing. The command is: send [HOW] JSON."),
        ])
    func wrong(line: String, sentence: String) {
        #expect(throws: UsageError(sentence)) { try console.Command(line) }
    }
}
