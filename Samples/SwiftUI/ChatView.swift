// SPDX-License-Identifier: Apache-2.0

// Run on no machine of Apple's, as ChatApp.swift tells.

import SenteLite
import SwiftUI

struct ChatView: View {
    let chat: Chat
    @State private var text = ""

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            StatusBar(model: chat.model, names: chat.names)
            List(Array(chat.lines.enumerated()), id: \.offset) { _, line in
                VStack(alignment: .leading) {
                    Text(line.name).font(.caption).foregroundStyle(.secondary)
                    Text(line.text)
                }
            }
            if let problem = chat.problem {
                Text(problem).font(.footnote).foregroundStyle(.red)
            }
            HStack {
                TextField("Say something", text: $text).onSubmit(say)
                Button("Send", action: say).disabled(text.isEmpty)
            }
        }
        .padding()
        .task { await chat.follow() }
    }

    private func say() {
        let said = text
        text = ""
        Task { await chat.say(said) }
    }
}

/// Where the client stands, and who is there.
struct StatusBar: View {
    let model: ConnectionModel
    let names: [String]

    var body: some View {
        HStack {
            Label(model.statusText, systemImage: model.isOnline ? "wifi" : "wifi.slash")
                .foregroundStyle(model.isOnline ? .green : .orange)
            Spacer()
            if !model.isOnline {
                Button("Now") { model.client.reconnect() }
            }
            Text("\(names.count) here").help(names.joined(separator: ", "))
        }
    }
}
