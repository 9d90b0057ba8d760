package dev.duoka.machine.topology;

import dev.duoka.machine.topology.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds matrices in a paste: headers, rows (wrapped ones and several on one line too) and the
 * legend of network cards. It judges nothing; {@link MatrixReading} does.
 */
final class MatrixFinder {
  private static final Pattern LEGEND =
      Pattern.compile("\\b(NIC[0-9]{1,3})\\s*[:=]\\s*([A-Za-z][A-Za-z0-9_.-]{0,60})");
  private static final Set<String> WHOLE_TITLES = Set.of("CPU", "NUMA", "GPU", "Affinity", "ID");
  private static final Set<String> PEER_STATES = Set.of("OK", "CNS", "GNS", "TNS", "NS", "DR", "U");
  private static final Pattern TITLE_WORD =
      Pattern.compile("(?:C|CP|CPU|CPU ?[Aa].*|N|NU|NUM|NUMA.*|GPU|GP|A|Affin.*|Aff|Af|I|ID)");

  private final List<String> lines;
  private final List<RawMatrix> matrices = new ArrayList<>();
  private @Nullable RawMatrix matrix;
  private @Nullable RawRow row;
  private boolean inHeader;

  /** The word that the header's line ends with, which may go on in the next line. */
  private @Nullable Token headerTail;

  private boolean pcieOnly;

  private MatrixFinder(List<String> lines) {
    this.lines = lines;
  }

  static List<RawMatrix> find(List<String> lines) {
    MatrixFinder finder = new MatrixFinder(lines);
    for (int line = 0; line < lines.size(); line++) {
      finder.read(line);
    }
    if (finder.row != null) {
      finder.row.markPasteEnd();
    }
    return finder.matrices;
  }

  /**
   * Whether a matrix is, or cannot be told from, that of {@code topo -p2p}: who may reach whom, not
   * by which way.
   */
  static boolean showsPeerAccess(RawMatrix matrix) {
    boolean cells =
        matrix.rows().stream().flatMap(of -> of.tokens().stream()).anyMatch(t -> t.is(Kind.CELL));
    return !cells && (hasPeerStates(matrix) || matrix.titleTokens().isEmpty());
  }

  /** Whether a matrix has the words of {@code topo -p2p}. */
  static boolean hasPeerStates(RawMatrix matrix) {
    return matrix.rows().stream()
        .flatMap(of -> of.tokens().stream())
        .anyMatch(t -> t.is(Kind.WORD) && PEER_STATES.contains(t.text()));
  }

  private void read(int number) {
    String line = lines.get(number);
    if (line.contains("topo ")) {
      if (line.contains("topo -mp") || line.contains("topo --matrix_pci")) {
        pcieOnly = true;
      } else if (line.contains("topo -m") || line.contains("topo --matrix")) {
        pcieOnly = false;
      }
    }
    List<Token> tokens = TokenScanner.scan(line);
    if (tokens.isEmpty()) {
      row = null;
      inHeader = false;
      return;
    }
    int at = continuation(tokens, line);
    while (at < tokens.size()) {
      at = next(tokens, at, number, line);
    }
    readLegend(line);
  }

  private void readLegend(String line) {
    if (matrix != null && line.contains("NIC")) {
      Matcher legend = LEGEND.matcher(line);
      while (legend.find()) {
        matrix.legend(legend.group(1), legend.group(2));
      }
    }
  }

  /** Takes the tokens that go on with the header or row of the line before. */
  private int continuation(List<Token> tokens, String line) {
    if (inHeader && matrix != null) {
      joinHeader(tokens, matrix);
      int end = headerEnd(tokens, 0);
      Token first = tokens.getFirst();
      boolean goesOn =
          end > 0
              && (end == tokens.size() || tokens.get(end).isDevice())
              && (titleWord(first) || (first.isDevice() && !matrix.names().contains(first.text())));
      if (goesOn) {
        addHeader(tokens.subList(0, end));
        headerTail = end == tokens.size() ? tokens.getLast() : null;
        return end;
      }
      inHeader = false;
    }
    if (row != null
        && row.label() != null
        && (open(row) || row.endsInNumbersAt(tokens.getFirst(), line))) {
      int end = 0;
      while (end < tokens.size()
          && (tokens.get(end).inMatrix()
              || tokens.get(end).inAffinity()
              || (end == 0 && row.joins(tokens.getFirst())))) {
        end++;
      }
      if (end == tokens.size() || (end > 0 && tokens.get(end).isDevice())) {
        row.wrap(tokens.subList(0, end), line);
        return end;
      }
      row = null;
    }
    return 0;
  }

  /** Puts a name together again that the line's end took apart. */
  private void joinHeader(List<Token> tokens, RawMatrix to) {
    Token tail = headerTail;
    headerTail = null;
    if (tail == null) {
      return;
    }
    Token first = tokens.getFirst();
    Token joined = TokenScanner.single(tail.text() + first.text(), first.start());
    if (tail.is(Kind.WORD) && first.is(Kind.WORD) && WHOLE_TITLES.contains(joined.text())) {
      if (titleWord(tail)) {
        to.titleTokens().removeLast();
      }
      tokens.set(0, joined);
      return;
    }
    boolean goesOn =
        tail.isDevice() && (first.is(Kind.NUMBERS) || (first.is(Kind.WORD) && !titleWord(first)));
    if (joined.isDevice()
        && (tail.is(Kind.WORD) || goesOn)
        && !to.names().contains(joined.text())) {
      if (goesOn) {
        to.names().remove(tail.text());
      }
      tokens.set(0, joined);
    }
  }

  private int next(List<Token> tokens, int from, int number, String line) {
    int at = from;
    while (at < tokens.size() && !tokens.get(at).isDevice()) {
      at++;
    }
    if (at == tokens.size()) {
      unlabelled(tokens, from, number, line);
      return at;
    }
    if (beginsHeader(tokens, at)) {
      RawMatrix found = new RawMatrix(number, true);
      found.headerText(line);
      found.pcieOnly(pcieOnly);
      matrix = found;
      matrices.add(found);
      row = null;
      int end = headerEnd(tokens, at);
      addHeader(tokens.subList(at, end));
      inHeader = end >= tokens.size() - 1;
      headerTail = inHeader ? tokens.getLast() : null;
      return end;
    }
    int after = at + 1;
    if (after < tokens.size() && beginsRow(tokens, after)) {
      return addRow(tokens, at, number, line);
    }
    return after;
  }

  /** A run of devices from a GPU on, which no cell follows. */
  private boolean beginsHeader(List<Token> tokens, int at) {
    if (!tokens.get(at).is(Kind.GPU)) {
      return false;
    }
    int next = at + 1;
    if (next == tokens.size()) {
      // a matrix of one GPU in a driver without affinity columns, or a word of a sentence
      boolean outside = matrix == null || !matrix.rows().isEmpty();
      return at == 0 && outside && tokens.getFirst().text().equals("GPU0");
    }
    Token second = tokens.get(next);
    if (second.is(Kind.GPU)) {
      int devices = headerEnd(tokens, at) - at;
      int end = at + devices;
      return second.gpuIndex() > tokens.get(at).gpuIndex()
          && (end == tokens.size() || tokens.get(end).isDevice() || devices > 2)
          && tokens.get(at).gpuIndex() <= 1;
    }
    if (second.is(Kind.NIC) || second.text().startsWith("CPU")) {
      int end = headerEnd(tokens, at);
      return end == tokens.size() || tokens.get(end).isDevice();
    }
    return false;
  }

  /** Where the devices and titles of a header that begins at a place end. */
  private int headerEnd(List<Token> tokens, int from) {
    int at = from;
    boolean titles = false;
    while (at < tokens.size()) {
      Token token = tokens.get(at);
      boolean rowFollows = at + 1 < tokens.size() && tokens.get(at + 1).inMatrix();
      if (token.isDevice() && (titles || rowFollows)) {
        break;
      }
      if (titleWord(token)) {
        titles = true;
      } else if (!token.isDevice() && !otherDevice(token, titles, at > from)) {
        break;
      }
      at++;
    }
    return at;
  }

  private static boolean titleWord(Token token) {
    return token.is(Kind.WORD) && TITLE_WORD.matcher(token.text()).matches();
  }

  /** A network card whose name follows no known scheme. */
  private static boolean otherDevice(Token token, boolean titles, boolean inside) {
    return inside
        && !titles
        && token.is(Kind.WORD)
        && token.text().length() <= 40
        && Character.isLowerCase(token.text().charAt(0))
        && token.text().chars().anyMatch(Character::isDigit)
        && token.text().chars().allMatch(c -> Character.isLetterOrDigit(c) || c == '_' || c == '.');
  }

  private void addHeader(List<Token> tokens) {
    RawMatrix to = matrix;
    if (to == null) {
      return;
    }
    for (Token token : tokens) {
      if (titleWord(token)) {
        to.title(token);
      } else {
        to.name(token);
      }
    }
  }

  /** A cell right after the label, or one unreadable word and then a cell. */
  private static boolean beginsRow(List<Token> tokens, int at) {
    return tokens.get(at).inMatrix()
        || (at + 1 < tokens.size()
            && tokens.get(at).is(Kind.WORD)
            && tokens.get(at + 1).inMatrix());
  }

  private int addRow(List<Token> tokens, int at, int number, String line) {
    RawMatrix to = matrix;
    if (to == null) {
      to = new RawMatrix(number, false);
      to.pcieOnly(pcieOnly);
      matrix = to;
      matrices.add(to);
    }
    inHeader = false;
    RawRow added = new RawRow(tokens.get(at).text(), number, line);
    int end = at + 1;
    while (end < tokens.size() && !tokens.get(end).isDevice() && !ends(tokens, at + 1, end)) {
      end++;
    }
    added.add(tokens.subList(at + 1, end));
    to.rows().add(added);
    row = end == tokens.size() ? added : null;
    return end;
  }

  /** Whether a word after the affinity values ends a row: text goes on behind it. */
  private static boolean ends(List<Token> tokens, int from, int at) {
    Token token = tokens.get(at);
    return token.is(Kind.WORD)
        && (token.text().startsWith("Legend") || (at > from && tokens.get(at - 1).inAffinity()));
  }

  private void unlabelled(List<Token> tokens, int from, int number, String line) {
    List<Token> rest = tokens.subList(from, tokens.size());
    boolean cells =
        matrix != null
            && from == 0
            && rest.stream().allMatch(token -> token.inMatrix() || token.inAffinity())
            && rest.stream().filter(token -> token.is(Kind.SELF)).count() == 1
            && rest.stream().anyMatch(token -> token.is(Kind.CELL));
    if (cells && matrix != null) {
      RawRow added = new RawRow(null, number, line);
      added.add(rest);
      matrix.rows().add(added);
    }
    row = null;
  }

  private boolean open(RawRow of) {
    RawMatrix in = matrix;
    if (in == null || !in.header()) {
      return false;
    }
    int cells = of.cells().size();
    return cells < in.names().size()
        || (cells == in.names().size()
            && of.label() != null
            && of.label().startsWith("GPU")
            && of.affinity().size() < in.titles().size());
  }
}
