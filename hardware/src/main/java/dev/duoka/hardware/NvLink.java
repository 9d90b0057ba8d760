package dev.duoka.hardware;

/**
 * Direct links between cards.
 *
 * @param kind how far they reach
 * @param links how many a card has; 0 where it has none or they are not NVLink
 * @param eachWayGbs GB/s of one card in one direction over all its links
 */
public record NvLink(Kind kind, int links, double eachWayGbs) {
  /** No direct links. */
  public static final NvLink NONE = new NvLink(Kind.NONE, 0, 0);

  /** How far direct links reach. */
  public enum Kind {
    /** From every card to every other, at full rate. */
    NVSWITCH,
    /** Between two cards, where somebody has put a bridge on them. */
    BRIDGE,
    /** Nowhere. */
    NONE
  }
}
