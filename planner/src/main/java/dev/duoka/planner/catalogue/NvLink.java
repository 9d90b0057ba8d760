package dev.duoka.planner.catalogue;

/**
 * Direct links between cards.
 *
 * @param kind how far they reach
 * @param eachWayGbs GB/s of one card in one direction over all its links
 */
public record NvLink(Kind kind, double eachWayGbs) {
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
