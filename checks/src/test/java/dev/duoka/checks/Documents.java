package dev.duoka.checks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The Markdown pages for people, and what they name. */
final class Documents {
  private static final Pattern FENCE = Pattern.compile("(?ms)^```.*?^```");
  private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:\\s]+)(?:#[^)]*)?\\)");

  private Documents() {}

  /** The pages at the root of the repository, in {@code docs} and in its folders. */
  static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    Path docs = Repository.root().resolve("docs");
    for (Path folder :
        List.of(Repository.root(), docs, docs.resolve("diagnosis"), docs.resolve("recipes"))) {
      try (Stream<Path> files = Files.list(folder)) {
        files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
      }
    }
    return pages;
  }

  /** Short pieces of code within the text, as they stand between backticks. */
  static List<String> inlineCode(String page) {
    String text = FENCE.matcher(page).replaceAll("");
    return CODE.matcher(text).results().map(code -> code.group(1)).toList();
  }

  /** Targets of links within the repository. */
  static List<String> links(String page) {
    return LINK.matcher(page).results().map(link -> link.group(1)).toList();
  }

  /** Everything that is code: the blocks, line by line, and the pieces within the text. */
  static List<String> code(String page) {
    List<String> code = new ArrayList<>(inlineCode(page));
    FENCE.matcher(page).results().map(MatchResult::group).flatMap(String::lines).forEach(code::add);
    return code;
  }
}
