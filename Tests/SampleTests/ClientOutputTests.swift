// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SenteLite
import Testing
import console

@Suite("The console's lines about a client")
struct ClientOutputTests {
    @Test("The metrics show every figure of flow, in milliseconds where it is a time")
    func flow() {
        var metrics = ClientMetrics()
        metrics.resumption.resumed = 1
        metrics.batching = .init(batches: 3, messages: 10, reasons: ["idle": 2, "count": 1])
        metrics.compression = .init(messages: 2, bytesBefore: 50, bytesAfter: 5, time: .microseconds(1_500))
        metrics.chunking = .init(messages: 1, chunksSent: 7, memory: 70)
        let fields = ValueMap(
            Output.fields(of: metrics).compactMap { name, value in value.map { (Value(name), $0) } })
        #expect(fields["resumption"]?["resumed"] == 1)
        #expect(fields["batching"]?["averageSize"] == 3.33)
        #expect(fields["batching"]?["reasons"] == ["count": 1, "idle": 2])
        #expect(fields["batching"]?["lingerAdded"] == .null)
        #expect(fields["compression"]?["time"] == 1.5)
        #expect(fields["chunking"]?["chunksSent"] == 7)
        #expect(fields["chunking"]?["incomplete"] == 0)
        let text = Narrator(ink: Ink(hasColors: false), isLive: true).text(.metrics, fields)
        #expect(
            text?.contains(
                "  compression      messages 2, bytesBefore 50, bytesAfter 5, time 1.5, skippedSmall 0")
                == true)
    }

    @Test("What holds beyond plain messages has the names of --flow")
    func features() {
        let none = FlowFeatures()
        #expect(Output.features(none) == [])
        let one: [(String, WritableKeyPath<FlowFeatures, Bool>)] = [
            ("batching", \.batching), ("chunking", \.chunking), ("binary", \.binaryEnvelope),
            ("deduplication", \.deduplication),
        ]
        for (name, feature) in one {
            var features = none
            features[keyPath: feature] = true
            #expect(Output.features(features) == [.string(name)])
        }
        var features = none
        features.compression = [.gzip]
        features.resumption = .init(window: .seconds(1), messages: 2, bytes: 3)
        #expect(Output.features(features) == ["resume", "compression"])
    }

    @Test("A session that went on shows how many messages it missed")
    func recovery() {
        #expect(Output.recovery(.none) == nil)
        #expect(Output.recovery(.fresh) == "fresh")
        #expect(Output.recovery(.resumed(missed: 2)) == ["resumed": true, "missed": 2])
    }
}
