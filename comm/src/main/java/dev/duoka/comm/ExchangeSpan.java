package dev.duoka.comm;

/**
 * A stretch of an exchange.
 *
 * @param group whose ranks exchanged
 * @param startMs from the recording's first mark, in milliseconds
 * @param endMs likewise
 */
public record ExchangeSpan(String group, double startMs, double endMs) {}
