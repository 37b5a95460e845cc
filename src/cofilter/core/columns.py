"""Names of the columns that every table in cofilter uses."""

USER = "user_id"
ITEM = "item_id"
RATING = "rating"
TIMESTAMP = "timestamp"  # int64 seconds since 1970-01-01 UTC; absent when the source has no times
WEIGHT = "weight"  # float32 ≥ 0, how much the row counts; absent when all count alike
PART = "part"  # train, validation or test; only before the split, of a source that says it
TITLE = "title"
GENRES = "genres"  # separated by "|"
RANK, SCORE = "rank", "score"  # of a list of recommendations
BECAUSE, SHARE = "because", "share"  # of explanations: the rated item, and its part in a score
