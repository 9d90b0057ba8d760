package dev.duoka.comm.launch;

/** Reads Slurm's short form of lists of hosts. */
final class SlurmHosts {
  private SlurmHosts() {}

  /**
   * The first host of a list such as {@code gpu[003-017,020],login1}: of each bracket the first
   * number, up to the first comma outside of brackets. Empty if there is none.
   */
  static String first(String list) {
    StringBuilder host = new StringBuilder();
    boolean inBracket = false;
    boolean past = false; // the first number of the bracket
    for (char next : list.strip().toCharArray()) {
      if (inBracket) {
        past |= next == '-' || next == ',';
        if (next == ']') {
          inBracket = false;
        } else if (!past) {
          host.append(next);
        }
      } else if (next == '[') {
        inBracket = true;
        past = false;
      } else if (next == ',') {
        break;
      } else {
        host.append(next);
      }
    }
    return host.toString();
  }
}
