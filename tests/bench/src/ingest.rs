//! What a sample costs the aggregator: sealed blocks over QUIC to their durable commit.
