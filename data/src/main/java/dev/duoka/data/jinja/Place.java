package dev.duoka.data.jinja;

/** Where something stands in a template; line and column count from 1. */
record Place(int line, int column) {
  static final Place START = new Place(1, 1);

  @Override
  public String toString() {
    return "line " + line + ", column " + column;
  }
}
