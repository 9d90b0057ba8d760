package dev.duoka.doctor.nccl;

import java.util.Optional;

/**
 * What a variable that is set does on a machine.
 *
 * @param name the variable
 * @param value its value
 * @param kind the judgement in one word
 * @param explanation why, for a user, whole sentences
 * @param remedy what to do about it; empty where nothing is to be done
 * @param suggestion the name that was probably meant
 * @param source where this is from
 */
public record NcclVerdict(
    String name,
    String value,
    Kind kind,
    String explanation,
    Optional<String> remedy,
    Optional<String> suggestion,
    String source) {

  /** The judgements. */
  public enum Kind {
    /** It does what it is for. */
    USEFUL,
    /** It changes little and harms nothing. */
    HARMLESS,
    /** It concerns what this machine does not use. */
    USELESS_HERE,
    /** It makes runs slower, or hides or causes failures. */
    HARMFUL,
    /** Nothing reads this name; another one is meant. */
    WRONG_NAME,
    /** The value is none that the variable takes. */
    WRONG_VALUE,
    /** Nothing reads this name; it looks like a slip. */
    MISSPELT,
    /** Nothing is known of this name. */
    UNKNOWN;

    /** Whether a user should act. */
    public boolean isFinding() {
      return this != USEFUL && this != HARMLESS;
    }
  }
}
