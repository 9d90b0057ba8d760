package dev.duoka.comm;

/** Notes when exchanges begin and end on a stream of their own, for profiles. One thread. */
public interface ExchangeMarks {
  /** Marks when a stream gets here; returns the mark's number. */
  int mark(long stream);

  /** Notes an exchange by the marks of its beginning and end. */
  void note(int began, int ended);
}
