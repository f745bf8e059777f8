"""What a team writes: files of plain SQL with a header, and what holds for all of a folder."""
