package dev.duoka.train.config;

import dev.duoka.base.UserPath;
import dev.duoka.train.config.binding.Doc;
import java.util.Optional;
import java.util.OptionalDouble;

/** One element of {@code data.sources} or {@code data.validation_sources}. */
public record SourceSettings(
    @Doc("Where its documents are, as in a list of texts.") String path,
    @Doc(
            value = "What reports and metrics call it; unlike those of the other sources.",
            whenAbsent = "the file's or folder's name without what follows its first dot")
        Optional<String> name,
    @Doc(
            value =
                "Its share of the training sequences, beside the weights of the other sources: each"
                    + " has one, or none has. A source that is exhausted begins again in another"
                    + " order. Not with `training.epochs`, since no pass over all of them ends.",
            whenAbsent = "each source is passed over as often as `epochs` says",
            range = "(0, 1e12]")
        OptionalDouble weight,
    @Doc(
            value =
                "How often one epoch of the run passes over it: 2 for twice, 0.5 for a half. Not"
                    + " beside a weight.",
            whenAbsent = "once",
            range = "(0, 1e6]")
        OptionalDouble epochs,
    @Doc(value = "How its files are read.", whenAbsent = "`data.format`")
        Optional<DataSettings.Format> format,
    @Doc(
            value = "Field or column that holds the text.",
            whenAbsent = "`data.field` where its format is `data.format`, else `text`")
        Optional<String> field,
    @Doc(value = "Encoding of its text, JSON and JSONL.", whenAbsent = "`data.encoding`")
        Optional<String> encoding,
    @Doc(
            value = "Chat template of its chats or pairs, by name or as a Jinja file.",
            whenAbsent = "`data.chat_template`")
        Optional<String> chatTemplate,
    @Doc(
            value = "Part of its documents that is held out for validation.",
            whenAbsent = "`data.validation_fraction`",
            range = "[0, 0.5]")
        OptionalDouble validationFraction) {
  public SourceSettings {
    path = UserPath.expand(path);
    chatTemplate = chatTemplate.map(UserPath::expand);
  }

  /** A source of which only its place is said. */
  public static SourceSettings parse(String path) {
    return new SourceSettings(
        path,
        Optional.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalDouble.empty());
  }

  /** Whether only its place is said. */
  public boolean isPathAlone() {
    return equals(parse(path));
  }

  /** What reports and metrics call it. */
  public String shownName() {
    return name.orElseGet(
        () -> {
          String[] parts = path.split("[/\\\\]+");
          String last = parts.length == 0 ? path : parts[parts.length - 1];
          String stem = last.replaceFirst("(?<=.)\\..*$", "");
          return stem.isEmpty() || stem.contains("*") ? path : stem;
        });
  }

  /** The place alone: the text form that {@link #parse} reads where nothing else is said. */
  @Override
  public String toString() {
    return path;
  }
}
