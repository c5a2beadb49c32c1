// SPDX-License-Identifier: Apache-2.0

// What an app writes beside `import SenteTelemetry`: signals, and the values they carry.
@_exported public import SenteSignals
@_exported public import SenteWire
