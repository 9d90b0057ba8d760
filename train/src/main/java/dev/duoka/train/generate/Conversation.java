package dev.duoka.train.generate;

import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.chat.Message;
import dev.duoka.data.chat.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Questions to a model and its answers, each of which knows those before. One thread. */
public final class Conversation {
  private final Generator generator;
  private final ChatEncoder encoder;
  private final Sampling sampling;
  private final List<Message> turns = new ArrayList<>();
  private Optional<String> system = Optional.empty();

  /**
   * A conversation that has not begun.
   *
   * @param generator of the model; stays its owner's
   * @param template how the model reads a chat
   */
  public Conversation(Generator generator, ChatTemplate template, Sampling sampling) {
    this.generator = generator;
    this.encoder = new ChatEncoder(template, generator.tokenizer());
    this.sampling = sampling;
  }

  /** What stands before the first question from now on; empty for nothing. */
  public void system(String text) {
    system = Optional.of(text).filter(it -> !it.isBlank());
  }

  /** Forgets all questions and answers. */
  public void clear() {
    turns.clear();
  }

  /**
   * What an answer was.
   *
   * @param forgotten questions from the conversation's beginning that did not fit beside it any
   *     more, with their answers
   */
  public record Answer(Generation generation, int forgotten) {}

  /**
   * Asks, and keeps question and answer. Where the model has too few positions for all that was
   * said and an answer, the oldest questions are forgotten.
   *
   * @param output hears the answer bit by bit
   */
  public Answer ask(String question, Consumer<String> output) {
    List<Message> said = new ArrayList<>(turns);
    said.add(new Message(Role.USER, question));
    int forgotten = 0;
    int[] prompt = prompt(said);
    while (prompt.length + answerRoom() > generator.config().maxPositions() && said.size() > 2) {
      said.subList(0, 2).clear();
      forgotten++;
      prompt = prompt(said);
    }
    Generation generation = generator.generate(prompt, sampling, output);
    said.add(new Message(Role.ASSISTANT, generation.text()));
    turns.clear();
    turns.addAll(said);
    return new Answer(generation, forgotten);
  }

  /** Positions that an answer is to find free: as many as it may have, or half of all. */
  private int answerRoom() {
    return Math.min(sampling.maxTokens(), generator.config().maxPositions() / 2);
  }

  private int[] prompt(List<Message> said) {
    List<Message> messages = new ArrayList<>();
    system.ifPresent(text -> messages.add(new Message(Role.SYSTEM, text)));
    messages.addAll(said);
    return encoder.encodePrompt(messages);
  }
}
