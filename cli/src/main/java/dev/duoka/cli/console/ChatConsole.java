package dev.duoka.cli.console;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Plural;
import dev.duoka.train.generate.Conversation;
import dev.duoka.train.generate.Generator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A conversation on a terminal: questions come line by line, answers go out word by word. */
public final class ChatConsole {
  private static final String ASK = "> ";

  private final Generator generator;
  private final Conversation conversation;
  private final PrintWriter out;
  private final PrintWriter notes;

  /** Whether the adapter adds to the model; it does at first. */
  private boolean adapted = true;

  /**
   * A console.
   *
   * @param out gets the answers
   * @param notes gets everything else
   */
  public ChatConsole(
      Generator generator, Conversation conversation, PrintWriter out, PrintWriter notes) {
    this.generator = generator;
    this.conversation = conversation;
    this.out = out;
    this.notes = notes;
  }

  /** Asks and answers until {@code /exit} or the end of the input. */
  public void run(BufferedReader input) throws IOException {
    notes.println("/adapter on|off" + names() + ", /system TEXT, /clear, /exit, /help");
    while (true) {
      notes.print(ASK);
      notes.flush();
      String line = input.readLine();
      if (line == null || line.strip().equals("/exit")) {
        return;
      }
      if (line.startsWith("//")) {
        ask(line.substring(1));
      } else if (line.startsWith("/")) {
        ordered(line.strip());
      } else if (!line.isBlank()) {
        ask(line);
      }
    }
  }

  /** An order that cannot be followed ends nothing, as when ranks that failed are loaded anew. */
  private void ordered(String line) {
    try {
      order(line);
    } catch (DuokaException e) {
      notes.println("duoka: " + e.getMessage());
    }
  }

  private void order(String line) {
    String[] words = line.split("\\s+", 2);
    String rest = words.length > 1 ? words[1] : "";
    switch (words[0]) {
      case "/clear" -> {
        conversation.clear();
        notes.println("forgotten");
      }
      case "/system" -> {
        conversation.system(rest);
        notes.println(rest.isEmpty() ? "nothing stands before the questions" : "understood");
      }
      case "/adapter" -> adapter(rest);
      case "/help" -> help();
      default ->
          notes.println(
              "There is no "
                  + words[0]
                  + ": /adapter, /system, /clear, /exit, /help; a question that begins so has // in"
                  + " front");
    }
  }

  private void help() {
    notes.println("/adapter on|off" + names() + "  with the adapter, without it, or with another");
    notes.println("/system TEXT  stands before the questions; without a text nothing does");
    notes.println("/clear  forgets the questions and answers so far");
    notes.println("/exit  ends the program, as the end of the input does");
    notes.println("//TEXT  is the question /TEXT");
  }

  /** What else {@code /adapter} takes. */
  private String names() {
    return generator.adapters().stream().map(name -> "|" + name).collect(Collectors.joining());
  }

  private void adapter(String word) {
    if (!generator.hasAdapter()) {
      notes.println("this model has no adapter");
    } else if (word.equals("on") || word.equals("off")) {
      generator.setAdapted(word.equals("on"));
      adapted = word.equals("on");
      notes.println("the adapter is " + word);
    } else if (generator.adapters().contains(word)) {
      use(word);
    } else {
      notes.println("say /adapter on or /adapter off" + others() + (adapted ? "on" : "off"));
    }
  }

  private String others() {
    return generator.adapters().isEmpty()
        ? "; it is "
        : ", or one of "
            + String.join(", ", generator.adapters())
            + "; the present one is "
            + generator.adapter().orElse("none")
            + ", which is ";
  }

  /** An adapter that cannot be read leaves the one that was there. */
  private void use(String name) {
    try (ProgressLine line = ProgressLine.open("loading the adapter", notes)) {
      generator.use(name, line);
      adapted = true;
    } catch (DuokaException e) {
      notes.println("duoka: " + e.getMessage());
      return;
    }
    notes.println("the adapter is " + name);
  }

  /** After a failure that has ended ranks. */
  private void loadAgain() {
    if (!generator.isLoaded()) {
      try (ProgressLine line = ProgressLine.open("loading the model again", notes)) {
        generator.load(line);
      }
    }
  }

  /** A question that cannot be answered ends nothing. */
  private void ask(String question) {
    Consumer<String> output =
        text -> {
          out.print(text);
          out.flush();
        };
    try {
      loadAgain();
      Conversation.Answer answer = conversation.ask(question, output);
      out.println();
      out.flush();
      if (answer.forgotten() > 0) {
        notes.println(
            "the oldest " + Plural.of(answer.forgotten(), "question") + " did not fit any more");
      }
      switch (answer.generation().end()) {
        case MAX_TOKENS -> notes.println("cut off; --tokens allows more");
        case CONTEXT_FULL -> notes.println("cut off: the model has no further positions");
        case END_TOKEN -> {}
      }
    } catch (DuokaException e) {
      out.println();
      out.flush();
      notes.println("duoka: " + e.getMessage());
    }
  }
}
