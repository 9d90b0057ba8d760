package dev.duoka.hardware;

/**
 * What an exchange between cards took.
 *
 * @param name of the collective in lower case with dashes, or {@code send-receive}
 * @param transport what carried it
 * @param ranks that took part, on neighbouring cards
 * @param bytes what a rank reduces or sends in all, or has gathered
 * @param seconds of the whole exchange
 */
public record ExchangeSample(String name, String transport, int ranks, long bytes, double seconds) {
  /** The name of an exchange in a ring, each rank sending to the next one. */
  public static final String SEND = "send-receive";
}
