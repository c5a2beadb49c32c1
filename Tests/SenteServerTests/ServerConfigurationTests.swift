// SPDX-License-Identifier: Apache-2.0

import SenteServer
import Testing

@Suite("The server's configuration")
struct ServerConfigurationTests {
    @Test("The defaults are sente-lite's")
    func defaults() throws {
        let configuration = try ServerConfiguration(environment: [:])
        #expect(configuration == ServerConfiguration())
        #expect(configuration.port == 3000)
        #expect(configuration.host == "127.0.0.1")
        #expect(configuration.maximumConnections == 1_000)
        #expect(configuration.heartbeatInterval == .seconds(30))
        #expect(configuration.heartbeatTimeout == .seconds(60))
        #expect(configuration.createsChannels)
        #expect(configuration.channelDefaults.maximumSubscribers == 1_000)
        #expect(configuration.channelDefaults.retention == 0)
        #expect(configuration.channelDefaults.requestLimit == .seconds(30))
    }

    @Test("The environment says otherwise")
    func environment() throws {
        let configuration = try ServerConfiguration(environment: [
            "PORT": "8080", "HOST": "0.0.0.0", "AUTO_CREATE_CHANNELS": "False", "MAX_SUBSCRIBERS": "5",
            "MESSAGE_RETENTION": "7", "PATH": "/bin",
        ])
        #expect(configuration.port == 8080)
        #expect(configuration.host == "0.0.0.0")
        #expect(!configuration.createsChannels)
        #expect(configuration.channelDefaults.maximumSubscribers == 5)
        #expect(configuration.channelDefaults.retention == 7)
    }

    @Test(
        "What cannot be used is named with what would be right",
        arguments: [
            ("PORT", "80a"), ("PORT", "-1"), ("PORT", "65536"), ("PORT", ""), ("HOST", ""), ("HOST", "a b"),
            ("AUTO_CREATE_CHANNELS", "yes"), ("MAX_SUBSCRIBERS", "1.5"),
            ("MAX_SUBSCRIBERS", "99999999999999999999"),
            ("MESSAGE_RETENTION", "-3"),
        ])
    func wrong(_ variable: String, _ value: String) {
        let error = #expect(throws: ServerConfiguration.EnvironmentError.self) {
            try ServerConfiguration(environment: [variable: value])
        }
        #expect(error?.variable == variable)
        #expect(error?.description.contains(variable) == true)
        #expect(error?.description.contains("\"\(value)\"") == true)
    }
}
