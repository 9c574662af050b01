module redis-ha/cluster/pause

go 1.26
