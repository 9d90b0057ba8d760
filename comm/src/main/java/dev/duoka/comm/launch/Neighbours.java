package dev.duoka.comm.launch;

/**
 * The processes of a run on one machine.
 *
 * @param index this process's number among them, from 0
 * @param count how many they are, this one included
 */
public record Neighbours(int index, int count) {
  /** A process that has the machine for itself. */
  public static final Neighbours NONE = new Neighbours(0, 1);
}
