// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let applePlatforms: [Platform] = [.macOS, .macCatalyst, .iOS, .tvOS, .watchOS, .visionOS]

/// For the rooms whose calls apps await: whoever calls on the main actor stays there until there is something to wait for.
let staysWithCaller: [SwiftSetting] = [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

/// A room of the house: a library target under `Sources`.
func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], _ more: [SwiftSetting] = [],
    resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings + more)
}

/// An executable under `Samples`; never a product, so that no user's package clashes with it.
func sample(
    _ name: String, _ path: String, _ dependencies: [Target.Dependency], packageAccess: Bool = true
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Samples/\(path)", packageAccess: packageAccess,
        swiftSettings: settings)
}

/// The tests of one room.
func tests(_ name: String, _ dependencies: [Target.Dependency], packageAccess: Bool = true) -> Target {
    .testTarget(name: name, dependencies: dependencies, packageAccess: packageAccess, swiftSettings: settings)
}

let package = Package(
    name: "SenteLite",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9)],
    products: [
        .library(name: "SenteLite", targets: ["SenteLite"]),
        .library(name: "SenteWire", targets: ["SenteWire"]),
        .library(name: "SenteTelemetry", targets: ["SenteTelemetry"]),
        .library(name: "SenteTestKit", targets: ["SenteTestKit"]),
    ],
    targets: [
        room("SenteWire"),
        room("SenteBase"),
        room("SenteSocket", ["SenteBase"]),
        room("SenteCore", ["SenteBase", "SenteWire"]),
        room("SenteSignals", ["SenteBase", "SenteWire"]),
        .target(name: "CSenteAtomics"),
        room("SenteTelemetry", ["SenteBase", "SenteWire", "SenteSignals", "CSenteAtomics"]),
        .target(name: "CSenteSystem"),
        room("SenteTransport", ["SenteBase", "SenteSocket", "CSenteSystem"], staysWithCaller),
        // Not a part of SenteTransport: on Linux FoundationNetworking would bring libcurl and thirty other libraries to every app.
        room("SenteURLSession", ["SenteBase", "SenteSocket", "SenteTransport"]),
        room(
            "SenteLite",
            [
                "SenteBase", "SenteWire", "SenteCore", "SenteTransport", "SenteSignals", "SenteTelemetry",
                .target(name: "SenteURLSession", condition: .when(platforms: applePlatforms)),
            ], staysWithCaller, resources: [.copy("PrivacyInfo.xcprivacy")]),
        room(
            "SenteServer",
            ["SenteBase", "SenteWire", "SenteSignals", "SenteTelemetry", "SenteSocket", "SenteTransport"]),
        room(
            "SenteTestKit",
            [
                "SenteLite", "SenteServer", "SenteBase", "SenteWire", "SenteCore", "SenteSocket",
                "SenteTransport",
            ], staysWithCaller),

        .target(
            name: "SampleOptions", dependencies: ["SenteLite"], path: "Samples/Options",
            swiftSettings: settings),
        .target(
            name: "SampleTerminal", dependencies: ["SenteLite"], path: "Samples/Terminal",
            packageAccess: false,
            swiftSettings: settings),
        sample("echo", "Echo", ["SenteLite", "SenteServer", "SampleOptions", "SampleTerminal"]),
        sample("chat", "Chat", ["SenteLite", "SampleTerminal"], packageAccess: false),
        sample(
            "console", "Console",
            [
                "SenteLite", "SenteTelemetry", "SenteBase", "SenteServer", "SenteTransport", "SampleOptions",
                "SampleTerminal",
            ]),
        sample(
            "pipeline", "Pipeline",
            ["SenteLite", "SenteTelemetry", "SenteSignals", "SenteServer", "SampleOptions", "SampleTerminal"]),
        sample("transfer", "Transfer", ["SenteLite", "SenteServer", "SampleOptions", "SampleTerminal"]),
        sample("cluster", "Cluster", ["SenteLite", "SenteServer", "SampleOptions", "SampleTerminal"]),
        sample(
            "bench", "Bench",
            [
                "SenteLite", "SenteCore", "SenteServer", "SenteBase", "SenteSocket", "SenteTransport",
                "SenteSignals", "SenteTelemetry", "SenteWire", "SampleOptions", "SampleTerminal",
            ]),
        sample("conformance", "Conformance", ["SenteBase", "SenteSocket", "SenteTransport"]),

        tests("SenteWireTests", ["SenteWire"]),
        tests("SenteBaseTests", ["SenteBase"]),
        tests("SenteSignalsTests", ["SenteBase", "SenteWire", "SenteSignals"]),
        tests("SenteTelemetryTests", ["SenteBase", "SenteWire", "SenteSignals", "SenteTelemetry"]),
        tests("SenteSocketTests", ["SenteBase", "SenteSocket"]),
        tests("SenteCoreTests", ["SenteBase", "SenteWire", "SenteCore"]),
        .target(
            name: "SenteTestSupport",
            dependencies: ["SenteBase", "SenteWire", "SenteSocket", "SenteTransport"],
            path: "Tests/SenteTestSupport", swiftSettings: settings),
        tests("SenteTransportTests", ["SenteBase", "SenteSocket", "SenteTransport", "SenteTestSupport"]),
        tests(
            "SenteURLSessionTests",
            [
                "SenteURLSession", "SenteBase", "SenteWire", "SenteSocket", "SenteTransport", "SenteLite",
                "SenteServer", "SenteTestSupport",
            ]),
        tests(
            "SenteLiteTests",
            [
                "SenteLite", "SenteBase", "SenteWire", "SenteCore", "SenteSocket", "SenteTransport",
                "SenteSignals", "SenteTelemetry", "SenteServer", "SenteTestKit", "SenteTestSupport",
                "SampleTestSupport", "console", "cluster",
            ]),
        tests(
            "SenteServerTests",
            [
                "SenteServer", "SenteBase", "SenteWire", "SenteSignals", "SenteTelemetry", "SenteSocket",
                "SenteTransport",
            ]),
        tests("SenteScenarioTests", ["SenteBase", "SenteWire", "SenteSocket", "SenteCore", "SenteServer"]),
        tests("SenteTestKitTests", ["SenteLite", "SenteTestKit"], packageAccess: false),
        tests("SentePublicTests", ["SenteLite", "SenteTelemetry", "SenteTestKit"], packageAccess: false),
        .target(
            name: "SampleTestSupport", dependencies: ["SenteLite", "SenteTestSupport"],
            path: "Tests/SampleTestSupport", swiftSettings: settings),
        tests(
            "SampleTests",
            [
                "SenteLite", "SenteTelemetry", "SenteTestKit", "SampleTestSupport", "SampleTerminal",
                "SampleOptions", "chat", "console", "echo", "bench", "pipeline", "transfer",
            ], packageAccess: false),
        tests(
            "ServeTests",
            [
                "console", "chat", "SampleTerminal", "SampleOptions", "SampleTestSupport", "SenteTestSupport",
                "SenteLite", "SenteBase", "SenteWire", "SenteSignals", "SenteTransport", "SenteServer",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
