package dev.duoka.train.config.binding;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.yaml.YamlProblems;
import java.util.ArrayList;
import java.util.List;

/** What is wrong with a configuration, collected so that the user sees all of it at once. */
public final class Problems implements YamlProblems {
  private static final int SHOWN = 20;

  private final String file;
  private final List<String> messages = new ArrayList<>();

  /**
   * Starts without a problem.
   *
   * @param file the file's name as the user gave it
   */
  public Problems(String file) {
    this.file = file;
  }

  @Override
  public void add(String origin, String problem, String remedy) {
    messages.add(origin + ": " + problem + (remedy.isEmpty() ? "" : ". " + remedy));
  }

  /** Whether nothing is wrong so far. */
  public boolean isEmpty() {
    return messages.isEmpty();
  }

  /**
   * Ends the reading of the file if anything is wrong with it.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG} and up to 20 problems
   */
  public void throwIfAny() {
    if (messages.isEmpty()) {
      return;
    }
    if (messages.size() == 1) {
      throw new DuokaException(ErrorCode.CONFIG, messages.getFirst(), "");
    }
    StringBuilder text = new StringBuilder();
    text.append(messages.size()).append(" problems in ").append(file).append(':');
    for (String message : messages.subList(0, Math.min(SHOWN, messages.size()))) {
      text.append("\n  ").append(message);
    }
    if (messages.size() > SHOWN) {
      text.append("\n  and ").append(messages.size() - SHOWN).append(" more");
    }
    throw new DuokaException(ErrorCode.CONFIG, text.toString(), "");
  }
}
