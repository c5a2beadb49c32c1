// SPDX-License-Identifier: Apache-2.0

/// How much random trying a build bears: unoptimised code is some twenty times slower.
enum Effort {
    #if DEBUG
    static let roundTrips = 3000
    static let fuzz = 20_000
    #else
    static let roundTrips = 100_000
    static let fuzz = 1_000_000
    #endif
}
