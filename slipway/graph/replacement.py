"""Which changes make AWS replace a resource instead of changing it.

The SDK does not say it. This is the part of the providers' schemas (`forces new resource`) that the program's own types
need; a property that is absent here is played as an update.
"""

#: Properties that every type here which has them replaces on.
EVERYWHERE = frozenset(
    {
        "availabilityZone",
        "cidrBlock",
        "clusterName",
        "dbSubnetGroupName",
        "domainName",
        "fileSystemId",
        "identifier",
        "nodeGroupName",
        "replicationGroupId",
        "subnetGroupName",
        "subnetId",
        "userGroupId",
        "userId",
        "vpcId",
        "zoneId",
    }
)
BY_TYPE = {
    "aws:backup/vault:Vault": frozenset({"kmsKeyArn", "name"}),
    "aws:cloudwatch/logGroup:LogGroup": frozenset({"name"}),
    "aws:efs/accessPoint:AccessPoint": frozenset({"posixUser", "rootDirectory"}),
    "aws:efs/fileSystem:FileSystem": frozenset({"creationToken", "encrypted", "kmsKeyId", "performanceMode"}),
    "aws:eks/cluster:Cluster": frozenset({"name", "encryptionConfig", "kubernetesNetworkConfig"}),
    "aws:eks/nodeGroup:NodeGroup": frozenset({"amiType", "instanceTypes", "nodeRoleArn", "subnetIds"}),
    "aws:elasticache/replicationGroup:ReplicationGroup": frozenset({"atRestEncryptionEnabled", "kmsKeyId"}),
    "aws:iam/role:Role": frozenset({"name"}),
    "aws:rds/instance:Instance": frozenset(
        {"dbName", "engine", "kmsKeyId", "restoreToPointInTime", "snapshotIdentifier", "storageEncrypted", "username"}
    ),
    "aws:route53/zone:Zone": frozenset({"name"}),
    "aws:s3/bucket:Bucket": frozenset({"bucket"}),
    "aws:secretsmanager/secret:Secret": frozenset({"name"}),
    "random:index/randomPassword:RandomPassword": frozenset({"length", "special", "keepers"}),
    "tls:index/privateKey:PrivateKey": frozenset({"algorithm", "rsaBits"}),
}


def is_needed(token: str, key: str) -> bool:
    """Tell whether changing the property `key` replaces a resource of this type."""
    return key in EVERYWHERE or key in BY_TYPE.get(token, frozenset())
