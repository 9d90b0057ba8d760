package dev.duoka.layout;

/** How the allocator keeps a card's memory that it has from the driver. */
public enum Segments {
  /** In pieces of the sizes that were asked for. */
  FIXED,
  /** In stretches of addresses that grow, so that tensors of other sizes leave nothing between. */
  GROWING;

  /**
   * Growing where tensors of ever other sizes come and go: rows of experts, and weights that are
   * made for the while of a product beside an adapter.
   */
  public static Segments of(boolean experts, boolean adapter) {
    return experts || adapter ? GROWING : FIXED;
  }
}
