// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

/// Recordings of nats-server 2.9.10 and 2.15.1, read where `SENTE_SHARED` says they are.
@Suite(
    "A recorded NATS server",
    .enabled(if: Transcript.folder != nil, "SENTE_SHARED does not name the folder of the recordings"))
struct NATSRecordingTests {
    @Test("is read to the same operations wherever its bytes are cut", arguments: NATSRecording.operations)
    func cuts(name: String, count: Int) throws {
        var total = 0
        for stream in try NATSRecording(name).streams {
            let whole = try NATSParser.operations(stream)
            total += whole.count
            for size in [1, 2, 3, 7, 64] { #expect(try NATSParser.operations(stream, by: size) == whole) }
            // Every cut, but where those of one byte each have to do.
            for cut in stride(from: 1, to: stream.count, by: 1 + stream.count / 500) {
                var parser = NATSParser(keeps: 1 << 20)
                var operations: [NATSOperation] = []
                try parser.parse(Array(stream[..<cut]), into: &operations)
                try parser.parse(Array(stream[cut...]), into: &operations)
                #expect(operations == whole, "cut at \(cut)")
            }
        }
        #expect(total == count)
    }

    @Test("says nothing that is taken for something else", arguments: NATSRecording.operations.keys.sorted())
    func understood(name: String) throws {
        for operation in try NATSRecording(name).streams.flatMap({ try NATSParser.operations($0) }) {
            switch operation {
            case .info(let info): #expect(info.clientID != nil && info.maximumPayload >= 1_000)
            case .message(let message):
                #expect(message.head.isEmpty || NATSHead(message.head) != nil)
                #expect(message.reply.map(NATSSubject.isWritable) ?? true)
            case .ping, .pong, .ok, .fault: break
            case .oversized: Issue.record("\(operation)")
            }
        }
    }
}
