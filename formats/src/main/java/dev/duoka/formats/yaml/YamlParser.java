package dev.duoka.formats.yaml;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/**
 * Parses the part of YAML 1.2 that configurations and tables need: sections, lists and scalars.
 *
 * <p>Anchors, aliases, tags and more than one document are refused, and nesting is limited, so that
 * a small file cannot stand for a huge one.
 */
public final class YamlParser {
  private static final int DEEPEST = 32;

  private final ParserImpl events;
  private final Function<Optional<Mark>, String> origins;
  private final YamlProblems problems;

  private YamlParser(String text, Function<Optional<Mark>, String> origins, YamlProblems problems) {
    LoadSettings settings = LoadSettings.builder().build();
    this.events = new ParserImpl(settings, new StreamReader(settings, text));
    this.origins = origins;
    this.problems = problems;
  }

  /**
   * Parses a document.
   *
   * @param name the file's name for messages
   * @return the document's root, or nothing if it is malformed
   */
  public static Optional<YamlTree> document(String name, String text, YamlProblems problems) {
    return parse(
        text,
        mark ->
            mark.map(m -> name + ":" + (m.getLine() + 1) + ":" + (m.getColumn() + 1)).orElse(name),
        problems);
  }

  /**
   * Parses one value of the command line.
   *
   * @param origin the origin of each part of the value
   * @return the value, or nothing if it is malformed
   */
  public static Optional<YamlTree> value(String origin, String text, YamlProblems problems) {
    return parse(text, _ -> origin, problems);
  }

  private static Optional<YamlTree> parse(
      String text, Function<Optional<Mark>, String> origins, YamlProblems problems) {
    try {
      YamlParser parser = new YamlParser(text, origins, problems);
      return Optional.of(parser.document());
    } catch (MarkedYamlEngineException e) {
      String context = e.getContext() == null ? "" : " (" + e.getContext() + ")";
      problems.add(
          origins.apply(e.getProblemMark()), "malformed YAML: " + e.getProblem() + context, "");
    } catch (YamlEngineException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("unreadable");
      problems.add(origins.apply(Optional.empty()), "malformed YAML: " + message, "");
    } catch (UnsupportedYaml e) {
      problems.add(e.origin, String.valueOf(e.getMessage()), "");
    }
    return Optional.empty();
  }

  private YamlTree document() throws UnsupportedYaml {
    events.next(); // the stream starts
    if (!events.checkEvent(Event.ID.DocumentStart)) {
      return new YamlTree.Scalar("", true, origins.apply(Optional.empty()));
    }
    events.next();
    YamlTree root = tree(0);
    events.next(); // the document ends
    if (events.checkEvent(Event.ID.DocumentStart)) {
      throw unsupported(events.next(), "a second document ('---') is not supported");
    }
    return root;
  }

  private YamlTree tree(int depth) throws UnsupportedYaml {
    Event event = events.next();
    if (depth > DEEPEST) {
      throw unsupported(event, "nested more than " + DEEPEST + " deep");
    }
    if (event instanceof AliasEvent || ((NodeEvent) event).getAnchor().isPresent()) {
      throw unsupported(event, "anchors and aliases are not supported; write the value out");
    }
    String origin = origins.apply(event.getStartMark());
    if (event instanceof ScalarEvent scalar) {
      refuseTag(event, scalar.getTag());
      return new YamlTree.Scalar(scalar.getValue(), scalar.isPlain(), origin);
    }
    refuseTag(event, ((CollectionStartEvent) event).getTag());
    return event.getEventId() == Event.ID.SequenceStart
        ? sequence(origin, depth)
        : mapping(origin, depth);
  }

  private YamlTree sequence(String origin, int depth) throws UnsupportedYaml {
    List<YamlTree> items = new ArrayList<>();
    while (!events.checkEvent(Event.ID.SequenceEnd)) {
      items.add(tree(depth + 1));
    }
    events.next();
    return new YamlTree.Sequence(items, origin);
  }

  private YamlTree mapping(String origin, int depth) throws UnsupportedYaml {
    Map<String, YamlTree.Entry> entries = new LinkedHashMap<>();
    while (!events.checkEvent(Event.ID.MappingEnd)) {
      Event keyEvent = events.peekEvent();
      if (!(tree(depth + 1) instanceof YamlTree.Scalar key)) {
        throw unsupported(keyEvent, "the name of a field must be plain text");
      }
      YamlTree.Entry entry = new YamlTree.Entry(key.origin(), key.plain(), tree(depth + 1));
      YamlTree.Entry first = entries.putIfAbsent(key.text(), entry);
      if (first != null) {
        problems.add(
            key.origin(),
            "field '" + key.text() + "' is given twice; the first is at " + first.origin(),
            "Remove one of them.");
      }
    }
    events.next();
    return new YamlTree.Mapping(entries, origin);
  }

  private void refuseTag(Event event, Optional<String> tag) throws UnsupportedYaml {
    if (tag.isPresent()) {
      throw unsupported(event, "the tag '" + tag.get() + "' is not supported");
    }
  }

  private UnsupportedYaml unsupported(Event event, String message) {
    return new UnsupportedYaml(origins.apply(event.getStartMark()), message);
  }

  /** Valid YAML beyond what a configuration may use. */
  private static final class UnsupportedYaml extends Exception {
    private static final long serialVersionUID = 1L;

    private final String origin;

    UnsupportedYaml(String origin, String message) {
      super(message);
      this.origin = origin;
    }
  }
}
