package dev.duoka.comm.tcp;

/**
 * What tells one call's offers from all others'.
 *
 * @param group the group's number
 * @param number the call's number in the group; a message's, between its two ranks
 * @param message whether it is a message, not a collective
 * @param peer the other rank's number in the world; −1 where a rank shows the same memory to all
 */
record Slot(long group, long number, boolean message, int peer) {
  /**
   * Where the owner of a window has it, of which this is the call.
   *
   * @param reader the world's number of the rank that reads
   */
  Slot ofWindow(int reader) {
    return new Slot(group, number, message, message ? reader : -1);
  }
}
