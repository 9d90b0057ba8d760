package dev.duoka.cli.console;

import dev.duoka.base.Plural;
import dev.duoka.base.VisibleText;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.formats.json.Json;
import dev.duoka.train.run.RunPreview;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Prints sequences of a run. What is learned is green, or in brackets where there is no colour;
 * special tokens are bold; nothing of the data is obeyed by the terminal.
 */
public final class PreviewPrinter {
  private static final String LEARNED = "\033[32m";
  private static final String SPECIAL = "\033[1m";
  private static final String NOTE = "\033[2m";
  private static final String PLAIN = "\033[0m";

  private final PrintWriter out;
  private final boolean colour;

  /** Prints with or without colour. */
  public PreviewPrinter(PrintWriter out, boolean colour) {
    this.out = out;
    this.colour = colour;
  }

  /** All of it, for people. */
  public void print(RunPreview preview) {
    String part = name(preview.part());
    out.println(
        "%s in the %s part, of %,d tokens each; %s; %s"
            .formatted(
                Plural.of(preview.count(), "sequence"),
                part,
                preview.length(),
                preview.apart()
                    ? "documents of a sequence do not see each other"
                    : "a document sees those before it in its sequence",
                colour ? LEARNED + "what is learned" + PLAIN : "what is learned is in ⟦ ⟧"));
    for (RunPreview.Shown sequence : preview.sequences()) {
      out.println();
      out.println(
          "sequence %,d: %,d tokens, %,d learned (%s), %,d padding"
              .formatted(
                  sequence.number(),
                  sequence.tokens(),
                  sequence.learned(),
                  sequence.share(),
                  sequence.padding()));
      for (int i = 0; i < sequence.documents().size(); i++) {
        print(i + 1, sequence.documents().get(i));
      }
    }
    out.flush();
  }

  private void print(int number, RunPreview.Stretch document) {
    List<String> notes = new ArrayList<>();
    notes.add("document " + number);
    notes.add("%,d tokens, %,d learned".formatted(document.tokens(), document.learned()));
    if (document.before() > 0) {
      notes.add("%,d before it are not in this sequence".formatted(document.before()));
    }
    if (document.behind() > 0) {
      notes.add("%,d behind it are not in this sequence".formatted(document.behind()));
    }
    String line = "── " + String.join(", ", notes) + " ──";
    out.println(colour ? NOTE + line + PLAIN : line);
    StringBuilder text = new StringBuilder();
    boolean open = false;
    for (RunPreview.Piece piece : document.pieces()) {
      if (!colour && piece.learned() != open) {
        text.append(open ? '⟧' : '⟦');
        open = piece.learned();
      }
      text.append(painted(piece));
    }
    text.append(open ? "⟧" : "");
    out.print(text);
    if (!text.toString().endsWith("\n")) {
      out.println();
    }
  }

  private String painted(RunPreview.Piece piece) {
    String shown = VisibleText.of(piece.text());
    if (!colour) {
      return shown;
    }
    String begin = (piece.learned() ? LEARNED : "") + (piece.special() ? SPECIAL : "");
    return begin.isEmpty() ? shown : begin + shown + PLAIN;
  }

  /** All of it as one JSON object. */
  public static ObjectNode json(RunPreview preview) {
    ObjectNode root = Json.object();
    root.put("part", name(preview.part()));
    root.put("sequences", preview.count());
    root.put("length", preview.length());
    root.put("documents_apart", preview.apart());
    ArrayNode samples = root.putArray("samples");
    for (RunPreview.Shown sequence : preview.sequences()) {
      ObjectNode sample = samples.addObject();
      sample.put("sequence", sequence.number());
      sample.put("tokens", sequence.tokens());
      sample.put("learned", sequence.learned());
      sample.put("padding", sequence.padding());
      ArrayNode documents = sample.putArray("documents");
      for (RunPreview.Stretch stretch : sequence.documents()) {
        ObjectNode document = documents.addObject();
        document.put("tokens", stretch.tokens());
        document.put("learned", stretch.learned());
        document.put("cut_before", stretch.before());
        document.put("cut_behind", stretch.behind());
        ArrayNode pieces = document.putArray("pieces");
        stretch
            .pieces()
            .forEach(
                piece ->
                    pieces
                        .addObject()
                        .put("text", piece.text())
                        .put("learned", piece.learned())
                        .put("special", piece.special()));
      }
    }
    return root;
  }

  private static String name(SplitPart part) {
    return part == SplitPart.TRAIN ? "training" : part.name().toLowerCase(Locale.ROOT);
  }
}
