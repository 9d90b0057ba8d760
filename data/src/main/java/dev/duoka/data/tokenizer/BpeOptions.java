package dev.duoka.data.tokenizer;

/**
 * What a BPE model does with characters and pieces at the edges.
 *
 * @param unknownId the token for a character that is not in the vocabulary; NONE if there is none
 * @param fuseUnknown whether a run of such characters is one token
 * @param byteFallback whether such a character is written as tokens of its bytes first of all
 * @param ignoreMerges whether a piece that is a token as a whole is taken without merging
 */
record BpeOptions(int unknownId, boolean fuseUnknown, boolean byteFallback, boolean ignoreMerges) {}
