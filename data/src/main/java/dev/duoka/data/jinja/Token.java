package dev.duoka.data.jinja;

/**
 * A piece of a template.
 *
 * @param text of a string its value, of others what is written
 */
record Token(Kind kind, String text, Place place) {
  /** What a piece is. */
  enum Kind {
    /** What lies outside of tags. */
    DATA,
    BLOCK_BEGIN,
    BLOCK_END,
    PRINT_BEGIN,
    PRINT_END,
    NAME,
    STRING,
    WHOLE,
    REAL,
    OPERATOR,
    END
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  boolean isOperator(String sign) {
    return kind == Kind.OPERATOR && text.equals(sign);
  }

  /** How errors name it. */
  String shown() {
    return switch (kind) {
      case DATA -> "text";
      case BLOCK_BEGIN -> "'{%'";
      case BLOCK_END -> "'%}'";
      case PRINT_BEGIN -> "'{{'";
      case PRINT_END -> "'}}'";
      case NAME, WHOLE, REAL, OPERATOR -> "'" + text + "'";
      case STRING -> "a string";
      case END -> "the end of the template";
    };
  }
}
