// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// The stream's leader, its consumers, and the questions that are asked of them.
///
/// While there is no leader nobody listens to the stream's subjects, so that publishers are told 503, and questions are
/// answered with a no or not at all.
extension NATSCluster {
    private static let api = "io.nats.jetstream.api.v1."

    // MARK: The leader

    mutating func elect() {
        let candidates = nodes.filter { $0.isUp && !$0.isLeaving }
        guard candidates.count * 2 > nodes.count else {
            election = milliseconds(500...1_000)
            return
        }
        election = nil
        let chosen = candidates[Int.random(in: 0..<candidates.count, using: &random)].number
        leader = chosen
        _ = subscribe(.stream, NATSStream.subjects, at: chosen)
    }

    /// The leader lays it down, and another is found soon.
    mutating func stepDown() {
        guard let leader else { return }
        unsubscribe(.stream, at: leader)
        answers.removeAll { $0.node == leader }
        self.leader = nil
        election = milliseconds(50...300)
    }

    /// The stream is deleted and made anew: its consumers are gone, in silence, and its sequence begins anew.
    mutating func makeAnew() {
        streams += 1
        stream = NATSStream(streams)
        for number in consumers.keys.sorted() { remove(number) }
    }

    private mutating func remove(_ number: Int) {
        guard let consumer = consumers.removeValue(forKey: number) else { return }
        unsubscribe(.consumer(number), at: consumer.node)
    }

    /// Consumers die without a word.
    mutating func removeConsumers() {
        for number in consumers.keys.sorted() { remove(number) }
    }

    // MARK: Keeping

    mutating func store(_ message: NATSPublication, at node: Int) {
        guard leader == node else { return }
        let answer = stream.store(message, at: now)
        if let reply = message.reply { say(answer, to: reply, from: node) }
        pumpAll()
    }

    private mutating func say(_ text: String, to reply: String, from node: Int) {
        guard answerLoss == 0 || Double.random(in: 0..<1, using: &random) >= answerLoss else { return }
        answers.append(
            Answer(
                due: milliseconds(answerDelay), node: node,
                message: NATSPublication(subject: reply, payload: Array(text.utf8))))
    }

    // MARK: Questions

    mutating func answerQuestion(_ message: NATSPublication, at node: Int) {
        guard let reply = message.reply else { return }
        let question = message.subject.dropFirst("$JS.API.".count)
        guard leader != nil else {
            guard Bool.random(using: &random) else { return }
            return say(
                #"{"type":"\#(Self.api)stream_info_response","error":{"code":503,"err_code":10008,"#
                    + #""description":"JetStream system temporarily unavailable"}}"#, to: reply, from: node)
        }
        let body = try? WireFormat.json.decode(message.payload)
        switch question {
        case "STREAM.NAMES":
            let keeps = body?["subject"]?.stringValue.map { $0.hasPrefix("orders.") } ?? false
            let names = keeps ? #"["\#(NATSStream.name)"]"# : "null"
            say(
                #"{"type":"\#(Self.api)stream_names_response","total":1,"streams":\#(names)}"#, to: reply,
                from: node)
        case "STREAM.INFO.\(NATSStream.name)":
            say(
                #"{"type":"\#(Self.api)stream_info_response","created":"\#(stream.created)","config":"#
                    + #"{"name":"\#(NATSStream.name)","subjects":["orders.*"]},"state":{"messages":"#
                    + #"\#(stream.messages.count),"first_seq":\#(stream.first),"last_seq":\#(stream.last)}}"#,
                to: reply, from: node)
        case "CONSUMER.CREATE.\(NATSStream.name)":
            if let config = body?["config"] { create(config, reply, node) }
        default:
            say(
                #"{"type":"\#(Self.api)stream_info_response","error":{"code":404,"err_code":10059,"#
                    + #""description":"stream not found"}}"#, to: reply, from: node)
        }
    }

    private mutating func create(_ config: Value, _ reply: String, _ node: Int) {
        // Now and then it is given to a node that is dead, and there is no answer.
        let home = Int.random(in: 0..<nodes.count, using: &random)
        guard nodes[home].isUp, let delivery = config["deliver_subject"]?.stringValue,
            let channel = config["filter_subject"]?.stringValue
        else { return }
        lastConsumer += 1
        let beat = config["idle_heartbeat"]?.integerValue ?? 1_000_000_000
        var consumer = NATSConsumer(
            number: lastConsumer, node: home, deliverySubject: delivery, filter: NATSPattern(channel),
            heartbeat: .nanoseconds(beat), window: Int.random(in: 2...8, using: &random),
            next: stream.last + 1, beat: now.instant.advanced(by: .nanoseconds(beat)))
        place(&consumer, config)
        let before = (consumer.upcoming(in: stream)?.sequence ?? consumer.next) - 1
        let delivered = consumer.sweep.isEmpty ? consumer.next - 1 : before
        consumers[lastConsumer] = consumer
        _ = subscribe(.consumer(lastConsumer), NATSPattern("\(flow(lastConsumer)).*"), at: home)
        say(
            #"{"type":"\#(Self.api)consumer_create_response","stream_name":"\#(NATSStream.name)","name":"#
                + #""c\#(lastConsumer)","delivered":{"consumer_seq":0,"stream_seq":\#(delivered)},"#
                + #""num_pending":\#(consumer.pending(in: stream))}"#, to: reply, from: node)
        pump(lastConsumer)
    }

    private func place(_ consumer: inout NATSConsumer, _ config: Value) {
        switch config["deliver_policy"]?.stringValue {
        case "last_per_subject": consumer.sweep = stream.lastOfEach(of: consumer.filter)
        case "by_start_sequence":
            let asked = UInt64(config["opt_start_seq"]?.integerValue ?? 1)
            // Behind the end the older servers begin at the end, and the newer ones wait for ever.
            consumer.next =
                settings.isNewer ? max(asked, stream.first) : min(max(asked, stream.first), stream.last + 1)
        default: break
        }
    }

    private func flow(_ number: Int) -> String { "$JS.FC.\(NATSStream.name).c\(number)" }

    // MARK: Handing over

    mutating func pumpAll() {
        for number in consumers.keys.sorted() { pump(number) }
    }

    /// Hands over what is there, as long as somebody listens and what was handed over is answered for.
    private mutating func pump(_ number: Int) {
        while var consumer = consumers[number], consumer.stalled == nil,
            let kept = consumer.upcoming(in: stream),
            nodes[consumer.node].hasInterest(in: consumer.deliverySubject)
        {
            consumer.took(kept)
            consumer.beat = now.instant.advanced(by: consumer.heartbeat)
            let pending = consumer.pending(in: stream)
            let places = "\(kept.sequence).\(consumer.delivered).\(kept.time * 1_000_000).\(pending)"
            // With domain and account, and something behind it, as ADR-15 has it.
            let reply =
                settings.isNewer
                ? "$JS.ACK.hub.ACC.\(NATSStream.name).c\(number).1.\(places).tail"
                : "$JS.ACK.\(NATSStream.name).c\(number).1.\(places)"
            var message = kept.message
            message.subject = consumer.deliverySubject
            message.shown = kept.message.subject
            message.reply = reply
            let asks = consumer.sinceFlow >= consumer.window
            if asks {
                consumer.sinceFlow = 0
                consumer.stalled = "\(flow(number)).\(consumer.delivered)"
            }
            consumers[number] = consumer
            publish(message, at: consumer.node)
            if asks, let stalled = consumer.stalled {
                publish(
                    status("100 FlowControl Request", for: consumer, reply: stalled), at: consumer.node)
            }
        }
    }

    private func status(
        _ text: String, for consumer: NATSConsumer, reply: String? = nil, _ lines: [String] = []
    ) -> NATSPublication {
        let head = "NATS/1.0 \(text)\r\n" + lines.map { "\($0)\r\n" }.joined() + "\r\n"
        return NATSPublication(subject: consumer.deliverySubject, reply: reply, head: Array(head.utf8))
    }

    /// What it waited for was answered.
    mutating func go(on number: Int, _ subject: String) {
        guard consumers[number]?.stalled == subject else { return }
        consumers[number]?.stalled = nil
        pump(number)
    }

    mutating func beat(_ number: Int) {
        guard var consumer = consumers[number], consumer.beat <= now.instant else { return }
        consumer.beat = now.instant.advanced(by: consumer.heartbeat)
        guard nodes[consumer.node].hasInterest(in: consumer.deliverySubject) else {
            let since = consumer.unheardSince ?? now.instant
            consumer.unheardSince = since
            consumers[number] = consumer
            if since.duration(to: now.instant) >= .seconds(10) { remove(number) }
            return
        }
        consumer.unheardSince = nil
        consumers[number] = consumer
        var lines = [
            "Nats-Last-Consumer: \(consumer.delivered)", "Nats-Last-Stream: \(consumer.lastSequence)",
        ]
        if let stalled = consumer.stalled { lines.append("Nats-Consumer-Stalled: \(stalled)") }
        publish(status("100 Idle Heartbeat", for: consumer, lines), at: consumer.node)
        pump(number)
    }
}
