package dev.duoka.experiment.ladder;

/**
 * What may be behind a fault.
 *
 * @param text what was seen, in words
 * @param fix what to do about it, in words or as a command
 */
public record Cause(Kind kind, String text, String fix) {
  /** What is to blame, what explains most first. */
  public enum Kind {
    /** A card that computes for somebody else, or does not answer. */
    CARD,
    /** A variable of the environment or a setting of the machine. */
    SETTING,
    /** A connection between two cards. */
    LINK,
    /** What ranks do together. */
    COLLECTIVE,
    /** An axis of the mesh. */
    AXIS,
    /** Memory of an owner. */
    MEMORY,
    /** Where the time of a step goes. */
    TIME,
    /** What a process has said when it ended. */
    FAILURE
  }
}
